import { RequestBudget } from '../../../src/platform/http-client/request-budget.ts';
import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { ZimbraSession } from '../../../src/protocols/zimbra-soap/session.ts';

const never = (): AbortSignal => new AbortController().signal;

function counting(lifetimeMs: number, fail?: () => Error | undefined) {
  const clock = { at: 0, now: () => clock.at };
  let signIns = 0;
  const session = new ZimbraSession(async () => {
    signIns += 1;
    const error = fail?.();
    if (error !== undefined) throw error;
    return { authToken: `t${signIns}`, lifetimeMs };
  }, clock);
  return { clock, session, signIns: () => signIns };
}

describe('ZimbraSession', () => {
  it('signs in once however many lookups want the token at the same time', async () => {
    const { session, signIns } = counting(3_600_000);
    const tokens = await Promise.all(Array.from({ length: 50 }, () => session.token(never(), new RequestBudget())));
    expect(new Set(tokens)).toEqual(new Set(['t1']));
    expect(signIns()).toBe(1);
  });

  it('keeps the token until its lifetime is nearly over', async () => {
    const { clock, session } = counting(172_799_999);
    expect(await session.token(never(), new RequestBudget())).toBe('t1');
    clock.at = 172_799_999 - 300_000 - 1;
    expect(await session.token(never(), new RequestBudget())).toBe('t1');
    clock.at += 1;
    expect(await session.token(never(), new RequestBudget())).toBe('t2');
  });

  it('uses a short-lived token for nine tenths of its life', async () => {
    const { clock, session } = counting(1_000);
    await session.token(never(), new RequestBudget());
    clock.at = 899;
    expect(await session.token(never(), new RequestBudget())).toBe('t1');
    clock.at = 900;
    expect(await session.token(never(), new RequestBudget())).toBe('t2');
  });

  it('forgets a token that was refused, but not its successor', async () => {
    const { session } = counting(3_600_000);
    await session.token(never(), new RequestBudget());
    session.discard('t1');
    expect(await session.token(never(), new RequestBudget())).toBe('t2');
    session.discard('t1');
    expect(await session.token(never(), new RequestBudget())).toBe('t2');
  });

  it('does not hammer a server that refuses the password, and tries again after ten seconds', async () => {
    let wrong = true;
    const { clock, session, signIns } = counting(1_000_000, () => (wrong ? new BridgeError('BACKEND_AUTH', 'no') : undefined));
    for (let lookups = 0; lookups < 5; lookups++) await expect(session.token(never(), new RequestBudget())).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
    expect(signIns()).toBe(1);
    wrong = false;
    clock.at = 10_000;
    expect(await session.token(never(), new RequestBudget())).toBe('t2');
  });

  it('tries again at once where the server was only out of reach', async () => {
    let down = true;
    const { session } = counting(1_000_000, () => (down ? new BridgeError('BACKEND_UNREACHABLE', 'down') : undefined));
    await expect(session.token(never(), new RequestBudget())).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' });
    down = false;
    expect(await session.token(never(), new RequestBudget())).toBe('t2');
  });

  it('lets one lookup run out of time without taking the others along', async () => {
    let finish: (value: { authToken: string; lifetimeMs: number }) => void = () => undefined;
    const session = new ZimbraSession(() => new Promise((resolve) => (finish = resolve)), { now: () => 0 });
    const hurried = new AbortController();
    const early = session.token(hurried.signal, new RequestBudget());
    const patient = session.token(never(), new RequestBudget());
    hurried.abort();
    await expect(early).rejects.toMatchObject({ code: 'DEADLINE' });
    finish({ authToken: 't', lifetimeMs: 1_000 });
    expect(await patient).toBe('t');
  });
});
