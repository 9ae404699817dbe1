import { expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { tryCanary } from '../../src/presence/canary.ts';
import type { CanaryOptions } from '../../src/presence/canary.ts';
import { memoryPublisher } from './memory-publisher.ts';

const options = (changes: Partial<CanaryOptions> = {}): CanaryOptions => ({ mailbox: 'canary@corp.example' as MailboxAddress, textFor: (state) => `text of ${state}`, language: 'de', now: () => 1_000, signal: new AbortController().signal, waitMs: 600, ...changes });
const outcomes = (findings: Awaited<ReturnType<typeof tryCanary>>): readonly string[] => findings.map(({ step, outcome }) => `${step}: ${outcome}`);

it('waits until a watcher sees it, in the language that was given', async () => {
  const publisher = memoryPublisher('sip');
  let looks = 0;
  publisher.observe = async (mailbox) => (looks++ < 2 ? undefined : publisher.shown.get(mailbox)?.state);
  expect(outcomes(await tryCanary(publisher, options()))).toEqual(['canary in-a-meeting: ok', 'canary available: ok', 'canary taken away: ok']);
  expect(looks).toBe(4);
  expect(publisher.shown.size).toBe(0);
});

it('fails where a watcher sees something else, and takes it away all the same', async () => {
  const publisher = memoryPublisher('sip', { observe: async () => 'available' });
  const findings = await tryCanary(publisher, options());
  expect(outcomes(findings)).toEqual(['canary in-a-meeting: fail', 'canary taken away: ok']);
  expect(findings[0]!.text).toContain('a watcher sees available');
  expect(publisher.calls).toEqual(['publish in-a-meeting', 'withdraw']);
});

it('says why it cannot be published, observed or withdrawn', async () => {
  const refuse = () => Promise.reject(new BridgeError('BACKEND_AUTH', 'the server does not let us'));
  for (const step of ['publish', 'observe', 'withdraw'] as const) {
    const findings = await tryCanary(memoryPublisher('sip', { [step]: refuse }), options());
    const failed = findings.filter(({ outcome }) => outcome === 'fail');
    expect(failed).toHaveLength(1);
    expect(failed[0]!.text).toContain('the server does not let us (BACKEND_AUTH)');
    expect(failed[0]!.advice).toBeDefined();
  }
});

it('warns where the server cannot be asked', async () => {
  const findings = await tryCanary(memoryPublisher('webhook', { observe: () => Promise.reject(new BridgeError('UNSUPPORTED', 'it cannot be asked')) }), options());
  expect(outcomes(findings)).toEqual(['canary in-a-meeting: warn', 'canary available: warn', 'canary taken away: ok']);
});

it('ends with its signal, and takes away what it has shown', async () => {
  const end = new AbortController();
  const publisher = memoryPublisher('sip', { observe: async () => (end.abort(), undefined) });
  expect(outcomes(await tryCanary(publisher, options({ signal: end.signal, waitMs: 60_000 })))).toEqual(['canary in-a-meeting: fail', 'canary taken away: ok']);
  expect(publisher.shown.size).toBe(0);
});
