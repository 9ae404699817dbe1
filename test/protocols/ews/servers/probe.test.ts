import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../../src/core/errors.ts';
import { availability, fault, response } from '../answer-text.ts';
import { contextWith, ewsStub } from '../ews-stub.ts';
import type { Reply } from '../ews-stub.ts';
import { accountOf, accounts, box, systemOf } from './bench.ts';

const UNKNOWN: Reply = { body: availability(response(undefined, 'ErrorMailRecipientNotFound')) };
const REFUSED: Reply = { status: 401, headers: { 'www-authenticate': 'Negotiate, NTLM' } };
const lines = (findings: readonly { readonly step: string; readonly outcome: string; readonly text: string }[]): string[] => findings.map((one) => `${one.outcome} ${one.step}: ${one.text}`);

describe('checking several servers and accounts', () => {
  it('asks each server and each account once, and says which answer and which are let in', async () => {
    const dead = await ewsStub(() => ({ status: 502 }));
    const good = await ewsStub((request) => (accountOf(request) === 'b' ? REFUSED : UNKNOWN));
    const other = await ewsStub(() => UNKNOWN);
    const findings = await systemOf([dead.url, good.url, other.url], { accounts: accounts('a', 'b', 'c') }).probe(contextWith());
    expect(lines(findings)).toEqual([
      'ok sign-in: an account is let in',
      'ok right to read: questions are answered: a made-up mailbox is unknown',
      expect.stringMatching(/^warn server: .*does not answer: the calendar system refused the request \(502\)$/) as string,
      expect.stringMatching(/^ok server: .*answers: 15\.2\.1118\.7, as Exchange 2019 or SE$/) as string,
      expect.stringMatching(/^ok server: .*answers: 15\.2/) as string,
      'ok account: a is let in',
      'fail account: b: the calendar system refuses the sign-in of the bridge (401)',
      'ok account: c is let in',
      'ok version: 15.2.1118.7, as Exchange 2019 or SE; asked as Exchange2013, 27 requests at the same time',
      'ok clock: the same as here',
    ].map((one, index) => (index === 9 ? (expect.stringContaining('clock') as string) : one)));
    expect([dead.seen.length, good.seen.length, other.seen.length]).toEqual([1, 3, 1]);
    expect(findings.find((one) => one.text.startsWith('b:'))!.advice).toContain('auth: ntlm');
    expect(findings.find((one) => one.outcome === 'warn')!.advice).toContain('load balancer');
  });

  it('tries a refused account at one server only', async () => {
    const [first, second] = [await ewsStub(() => REFUSED), await ewsStub(() => REFUSED)];
    const findings = await systemOf([first.url, second.url], { accounts: accounts('a', 'b') }).probe(contextWith());
    expect(findings[0]).toMatchObject({ step: 'sign-in', outcome: 'fail' });
    expect([first.seen.length, second.seen.length]).toEqual([2, 0]);
  });

  it('says that it may act for somebody, how it asks, and what was configured', async () => {
    const stub = await ewsStub(() => UNKNOWN);
    const findings = await systemOf([stub.url], { impersonate: box('svc@works.example'), concurrency: 3 }).probe(contextWith());
    expect(findings[0]!.text).toBe('the account is let in, and may act for svc@works.example');
    expect(findings.find((one) => one.step === 'version')!.text).toContain('3 requests at the same time');
  });

  it('says what discovery says', async () => {
    const discover = async (): Promise<readonly URL[]> => {
      throw new BridgeError('BACKEND_AUTH', 'Autodiscover refuses the sign-in of the bridge', { details: { status: 401, hint: 'CANARY-ADVICE' } });
    };
    expect(await systemOf([], { discover }).probe(contextWith())).toEqual([{ step: 'discovery', outcome: 'fail', text: 'Autodiscover refuses the sign-in of the bridge (401)', advice: 'CANARY-ADVICE' }]);
  });

  it.each<readonly [string, Reply, string]>([
    ['an access policy', { status: 403 }, 'EwsApplicationAccessPolicy'],
    ['a form logon', { status: 440 }, 'form logon'],
    ['a logon page', { body: '<html/>' }, 'logon page'],
    ['a disabled account', { status: 500, body: fault('ErrorAccountDisabled') }, 'Active Directory'],
    ['throttling', { status: 429 }, 'throttling policy'],
    ['no EWS', { status: 404 }, '/EWS/Exchange.asmx'],
  ])('has words for %s', async (_name, reply, advice) => {
    const stub = await ewsStub(() => reply);
    const [finding] = await systemOf([stub.url]).probe(contextWith());
    expect(finding).toMatchObject({ outcome: 'fail', advice: expect.stringContaining(advice) as string });
  });
});
