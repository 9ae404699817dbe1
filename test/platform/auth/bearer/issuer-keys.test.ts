import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../../src/core/errors.ts';
import { LIMITS } from '../../../../src/core/limits.ts';
import { IssuerKeys } from '../../../../src/platform/auth/bearer/issuer-keys.ts';
import type { KeySet } from '../../../../src/platform/auth/bearer/key-set.ts';
import { TokenIssuers } from '../../../../src/platform/auth/bearer/token-issuers.ts';
import { keepingLogger } from '../../http-server/serving.ts';
import { MovableClock } from '../signing-in.ts';
import { AUDIENCE, ISSUER, keySet, signingKey } from './issuing.ts';

const FIRST = signingKey('EdDSA', 'first');
const SECOND = signingKey('EdDSA', 'second');
const AWAY = new BridgeError('BACKEND_UNREACHABLE', 'away', { temporary: true });

/** Keys whose issuer gives what the test says, and how often it was asked. */
function world(gives: KeySet | BridgeError) {
  const clock = new MovableClock();
  const { logger, lines } = keepingLogger();
  const state = { gives, asked: 0 };
  const read = async (): Promise<KeySet> => {
    state.asked += 1;
    await new Promise((resolve) => setImmediate(resolve));
    if (state.gives instanceof BridgeError) throw state.gives;
    return state.gives;
  };
  const keys = new IssuerKeys({ issuer: { issuer: ISSUER, audience: [AUDIENCE] }, clock, logger, read });
  const outcome = async (id?: string): Promise<string> => keys.keysFor(id).then((set) => (set.has(id) ? 'there' : 'not there'), (error: unknown) => (error as BridgeError).code);
  return { clock, state, keys, lines, outcome };
}
const later = async (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe("an issuer's keys", () => {
  it('are read once, by however many ask at the same time', async () => {
    const { state, outcome } = world(keySet(FIRST));
    expect(await Promise.all(Array.from({ length: 50 }, () => outcome('first')))).toEqual(Array.from({ length: 50 }, () => 'there'));
    expect(await outcome(undefined)).toBe('there');
    expect(state.asked).toBe(1);
  });

  it('are read again for a key that is new, and invented ones cost the issuer one question in ten seconds', async () => {
    const { clock, state, outcome } = world(keySet(FIRST));
    await outcome('first');
    state.gives = keySet(SECOND);
    clock.at += LIMITS.issuerPauseMs;
    expect(await outcome('second')).toBe('there');
    expect(state.asked).toBe(2);
    for (let n = 0; n < 1_000; n++) expect(await outcome(`invented-${n}`)).toBe('not there');
    expect(state.asked).toBe(2);
    clock.at += LIMITS.issuerPauseMs;
    expect(await Promise.all(Array.from({ length: 100 }, (_, n) => outcome(`again-${n}`)))).not.toContain('there');
    expect(state.asked).toBe(3);
  });

  it('are read again behind the requests\' backs when they are old; a withdrawn one goes', async () => {
    const { clock, state, keys, outcome } = world(keySet(FIRST));
    await outcome('first');
    const version = keys.version();
    state.gives = keySet(SECOND);
    clock.at += LIMITS.issuerKeysFreshMs + 1;
    expect(await outcome('first')).toBe('there');
    await later();
    expect([state.asked, keys.version() === version, await outcome('second'), await outcome('first')]).toEqual([2, false, 'there', 'not there']);
  });

  it('are waited for after a quiet night, so that a withdrawn key does not count', async () => {
    const { clock, state, outcome } = world(keySet(FIRST));
    await outcome('first');
    state.gives = keySet(SECOND);
    clock.at += 3 * LIMITS.issuerKeysFreshMs;
    expect(await outcome('first')).toBe('not there');
  });

  it('looking at the version sees to it that they do not become old', async () => {
    const { clock, state, keys, outcome } = world(keySet(FIRST));
    await outcome('first');
    clock.at += LIMITS.issuerKeysFreshMs + 1;
    expect(keys.version()).toBe(keySet(FIRST).version);
    await later();
    expect(state.asked).toBe(2);
  });

  it('are good for a day while the issuer is away, and no longer; a key that it may have made meanwhile is a matter of waiting, not of refusing', async () => {
    const { clock, state, keys, lines, outcome } = world(keySet(FIRST));
    await outcome('first');
    state.gives = AWAY;
    for (let hours = 1; hours <= 24; hours++) {
      clock.at += 3_600_000;
      expect([hours, await outcome('first'), await outcome('second')]).toEqual([hours, 'there', 'BACKEND_UNREACHABLE']);
    }
    clock.at += 1;
    expect([await outcome('first'), keys.version()]).toEqual(['BACKEND_UNREACHABLE', undefined]);
    clock.at += LIMITS.issuerPauseMs;
    state.gives = keySet(SECOND);
    expect([await outcome('second'), await outcome('first')]).toEqual(['there', 'not there']);
    expect(lines).toEqual([
      { level: 'warn', message: "an issuer's keys could not be read", system: ISSUER, code: 'BACKEND_UNREACHABLE', reason: 'away' },
      { level: 'info', message: 'the issuer of tokens answers again', system: ISSUER, count: 1 },
    ]);
  });

  it('that nobody has are said to be so at once, with a time to come back, and asked for again after the pause', async () => {
    const { clock, state, keys, outcome } = world(AWAY);
    for (let n = 0; n < 100; n++) expect(await outcome('first')).toBe('BACKEND_UNREACHABLE');
    expect(state.asked).toBe(1);
    await expect(keys.keysFor('first')).rejects.toMatchObject({ temporary: true, retryAfterMs: LIMITS.issuerPauseMs, publicMessage: 'tokens cannot be checked at the moment', details: { reason: 'away' } });
    state.gives = keySet(FIRST);
    clock.at += LIMITS.issuerPauseMs;
    expect(await outcome('first')).toBe('there');
  });

  it('are asked for again though the clock was set back', async () => {
    const { clock, state, outcome } = world(AWAY);
    await outcome('first');
    clock.at -= 3_600_000;
    state.gives = keySet(FIRST);
    expect(await outcome('first')).toBe('there');
  });

  it('are the same ones after a reload, unless they come from somewhere else or by somebody else\'s word', () => {
    const issuers = new TokenIssuers({ clock: new MovableClock(), logger: keepingLogger().logger });
    const at = (jwksUri?: string, ca?: readonly string[], audience = AUDIENCE) => issuers.of([{ issuer: ISSUER, audience: [audience], jwksUri: jwksUri === undefined ? undefined : new URL(jwksUri), ca }])[0]!.keys;
    const first = at();
    expect(at(undefined, undefined, 'other')).toBe(first);
    expect(at('https://login.corp.example/keys')).not.toBe(first);
    expect(at(undefined, ['PEM'])).not.toBe(first);
    for (let n = 0; n < LIMITS.rememberedIssuers; n++) at(`https://login.corp.example/${n}`);
    expect(at()).not.toBe(first);
  });
});
