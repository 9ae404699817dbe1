import { describe, expect, it } from 'vitest';
import type { NotificationPort } from '../../../../src/core/notification-port.ts';
import type { ProbeFinding } from '../../../../src/core/probe-finding.ts';
import { at, bench, callBackPort, context } from './watch-bench.ts';
import type { Bench } from './watch-bench.ts';

const found = async ({ gateway }: Bench, sample: string | undefined = 'alice'): Promise<readonly ProbeFinding[]> => gateway.probe(sample === '' ? undefined : at(sample), context());
const step = (findings: readonly ProbeFinding[], name: string): readonly ProbeFinding[] => findings.filter((one) => one.step === name);

describe('presence check at an EWS gateway', () => {
  it('walks from sign-in to a call by Exchange, and shows what the calendar is called there (A22, A47, A80)', async () => {
    const one = await bench();
    const findings = await found(one);
    expect(findings.filter(({ outcome }) => outcome === 'fail')).toEqual([]);
    expect(findings.map((finding) => finding.step)).toEqual(['sign-in', 'right to read', 'version', 'clock', 'impersonation', 'subscribe', 'call-back', 'call-back']);
    expect(step(findings, 'impersonation')[0]!.text).toContain('"予定表"');
    expect(step(findings, 'call-back').map(({ outcome, text }) => `${outcome}: ${text}`)).toEqual([`ok: http://127.0.0.1:${one.callBack!.port} leads to our listener`, 'ok: Exchange called us']);
    // The pull subscription was ended; the push one learns of it at its next call.
    expect([...one.exchange.subscriptions.values()].filter(({ way }) => way === 'pull')).toEqual([]);
    expect(one.exchange.operations('Subscribe').every(({ as }) => as === at('alice'))).toBe(true);
  });

  it.each([
    ['ErrorImpersonateUserDenied', 'may not act for this mailbox', 'ApplicationImpersonation'],
    ['ErrorNonExistentMailbox', 'ErrorNonExistentMailbox', 'primary address'],
  ])('%s is said in clear words', async (code, text, advice) => {
    const one = await bench();
    one.exchange.refuse = ({ operation }) => (operation === 'GetFolder' ? { code, isFault: true } : undefined);
    const findings = await found(one);
    expect(step(findings, 'impersonation')).toEqual([{ step: 'impersonation', outcome: 'fail', text: expect.stringContaining(text) as string, advice: expect.stringContaining(advice) as string }]);
    expect(step(findings, 'right to read')[0]!.outcome).toBe('ok');
    expect(step(findings, 'subscribe')).toEqual([]);
    expect(one.exchange.operations('Subscribe')).toEqual([]);
  });

  it('refused credentials are said once, and nothing more is tried', async () => {
    const one = await bench();
    one.exchange.refuse = () => ({ status: 401 });
    const findings = await found(one);
    expect(step(findings, 'sign-in')[0]).toMatchObject({ outcome: 'fail' });
    expect(one.exchange.asked).toHaveLength(1);
  });

  it('nobody is there', async () => {
    const one = await bench();
    await one.exchange.stop();
    const findings = await found(one);
    expect(findings.at(-1)).toMatchObject({ step: 'question', outcome: 'fail' });
  });

  it('nobody is named: what needs a mailbox is not tried, and that is said', async () => {
    const findings = await found(await bench(), '');
    expect(step(findings, 'impersonation')[0]).toMatchObject({ outcome: 'warn' });
    expect(findings.filter(({ outcome }) => outcome === 'fail')).toEqual([]);
  });

  it('no subscription can be made: a warning, for calendars are polled then', async () => {
    const one = await bench({ isReachable: false });
    one.exchange.refuse = ({ operation }) => (operation === 'Subscribe' ? { code: 'ErrorExceededSubscriptionCount' } : undefined);
    const findings = await found(one);
    expect(step(findings, 'subscribe')[0]).toMatchObject({ outcome: 'warn', advice: expect.stringContaining('EwsMaxSubscriptions') as string });
    expect(step(findings, 'call-back')[0]!.text).toContain('not used');
  });

  it('a version that contradicts what is asked for (A04)', async () => {
    const one = await bench({ notifications: 'streaming' });
    one.exchange.version = '8.1.240.5';
    expect(step(await found(one), 'version').find(({ outcome }) => outcome === 'warn')!.text).toContain('Exchange 2007');
  });

  it('push was chosen and nothing listens', async () => {
    const findings = await found(await bench({ notifications: 'push', hasCallBack: false }));
    expect(step(findings, 'call-back')[0]).toMatchObject({ outcome: 'fail' });
  });

  it('the URL leads to nowhere, or to somebody else', async () => {
    const port = await callBackPort();
    const other = await callBackPort();
    const wrong = (url: (real: string) => string): NotificationPort => ({
      scheme: 'http',
      generation: 1,
      onMoved: () => () => undefined,
      open: (onCall) => {
        const path = port.open(onCall);
        return { url: url(path.url), close: () => path.close() };
      },
    });
    const elsewhere = await bench({ callBack: wrong((real) => real.replace(`:${port.port}/`, `:${other.port}/`)) });
    elsewhere.exchange.callsAtOnce = false;
    const misled = step(await found(elsewhere, ''), 'call-back');
    expect(misled.map(({ outcome, text }) => `${outcome} ${text}`)[0]).toContain('warn http://127.0.0.1:');
    expect(misled[0]!.text).toContain('leads to something else');
    const nowhere = await bench({ callBack: wrong(() => 'http://127.0.0.1:1/x') });
    expect(step(await found(nowhere, ''), 'call-back')[0]!.text).toContain('cannot be reached from here');
  });
});
