import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/core/limits.ts';
import type { BackEndLoad, Turn, TurnOutcome } from '../../../../src/platform/http-client/load/back-end-load.ts';
import { LoadWorld, never, soFar } from './load-world.ts';

describe('the book', () => {
  it('has so many entries; those that were used longest ago go first', () => {
    const world = new LoadWorld();
    for (let entry = 0; entry < LIMITS.backEndLoads + 50; entry++) {
      world.now += 1;
      world.load(1, '', `http://server${entry}.example`);
    }
    const servers = world.book.states().map(({ server }) => server);
    expect(servers).toHaveLength(LIMITS.backEndLoads);
    expect(servers).not.toContain('http://server49.example');
    expect(servers).toContain('http://server50.example');
  });

  it('forgets what nobody has asked for long, when another comes', () => {
    const world = new LoadWorld();
    world.load();
    world.now += LIMITS.backEndLoadUnusedMs + 1;
    world.load(1, 'second');
    expect(world.book.states().map(({ account }) => account)).toEqual(['second']);
  });

  it('never has a second one of the same: whoever was given one that went finds the new one', async () => {
    const world = new LoadWorld();
    const old = world.load(1);
    world.now += LIMITS.backEndLoadUnusedMs + 1;
    world.load(1, 'second');
    await world.load(1).enter(never());
    expect(await soFar(old.enter(never()))).toBe('waiting');
  });

  it('forgets nothing that matters: requests under way, pauses, servers that do not answer', async () => {
    const world = new LoadWorld();
    await world.load(1, 'under way').enter(never());
    world.load(1, 'held off').holdOff(2 * LIMITS.backEndLoadUnusedMs);
    const away = world.load(1, 'away', 'https://away.example');
    for (let failure = 0; failure < LIMITS.breakerFailures; failure++) await world.request(away, 'failed');
    world.load(1, 'idle');
    world.now += LIMITS.backEndLoadUnusedMs + 1;
    world.load(1, 'new');
    expect(world.book.states().map(({ account }) => account).sort()).toEqual(['away', 'held off', 'new', 'under way']);
  });

  it('counts by host and port, never by account; hosts beyond its bound are counted together', async () => {
    const world = new LoadWorld();
    world.load(1, 'CORP\\secret', 'https://mail.corp.example:8443').holdOff(1_000);
    await soFar(world.load(1, 'CORP\\secret', 'https://mail.corp.example:8443').enter(never()));
    expect(world.refused).toEqual(['mail.corp.example:8443 held-off']);
    for (let entry = 0; entry < LIMITS.backEndLoads; entry++) world.load(1, '', `http://server${entry}.example`);
    expect(world.book.states().at(-1)!.label).toBe('other');
  });
});

describe('no turn is lost', () => {
  const OUTCOMES: readonly TurnOutcome[] = ['answered', 'failed', 'aborted', 'given-up'];
  const action = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('enter' as const), account: fc.nat(2), deadlineMs: fc.option(fc.nat(4_000), { nil: undefined }) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('done' as const), which: fc.nat(), outcome: fc.constantFrom(...OUTCOMES) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('abort' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('concurrency' as const), account: fc.nat(2), most: fc.integer({ min: -1, max: 6 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('hold-off' as const), account: fc.nat(2), ms: fc.nat(3_000) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat(1_500) }) },
  );

  it('whatever happens, in whatever order: what is in flight is what was let in and has not ended, and never more than may be', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 120 }), async (actions) => {
        const world = new LoadWorld();
        const loads: readonly BackEndLoad[] = Array.from({ length: 3 }, (_, account) => world.load(2, String(account)));
        const held: { readonly account: number; readonly turn: Turn }[] = [];
        const asked: { readonly controller: AbortController; readonly ended: Promise<unknown> }[] = [];
        const most = [2, 2, 2];
        for (const one of actions) {
          if (one.kind === 'enter') {
            const controller = new AbortController();
            const deadline = one.deadlineMs === undefined ? undefined : world.now + one.deadlineMs;
            const entered = loads[one.account]!.enter(controller.signal, deadline).then(
              (turn) => void held.push({ account: one.account, turn }),
              (error: unknown) => expect(error).toMatchObject({ name: 'BridgeError', code: expect.stringMatching(/^(?:BACKEND_BUSY|BACKEND_UNREACHABLE|DEADLINE)$/) as string }),
            );
            asked.push({ controller, ended: entered });
          } else if (one.kind === 'done' && held.length > 0) held.splice(one.which % held.length, 1)[0]!.turn.done(one.outcome);
          else if (one.kind === 'abort' && asked.length > 0) asked[one.which % asked.length]!.controller.abort();
          else if (one.kind === 'concurrency') {
            most[one.account] = Math.max(most[one.account]!, one.most);
            loads[one.account]!.setConcurrency(one.most);
          } else if (one.kind === 'hold-off') loads[one.account]!.holdOff(one.ms);
          else if (one.kind === 'time') world.now += one.ms;
          for (let turn = 0; turn < 5; turn++) await Promise.resolve();
          for (const [account, state] of world.book.states().entries()) {
            expect(state.inFlight).toBe(held.filter((turn) => turn.account === account).length);
            expect(state.inFlight).toBeLessThanOrEqual(most[account]!);
            // Nobody waits for a turn that is free.
            if (state.waiting > 0) expect(state.inFlight).toBeGreaterThanOrEqual(state.concurrency);
          }
        }
        for (const { controller } of asked) controller.abort();
        await Promise.all(asked.map(({ ended }) => ended));
        for (const { turn } of held) turn.done('answered');
        expect(world.book.states().map(({ inFlight, waiting }) => [inFlight, waiting])).toEqual([[0, 0], [0, 0], [0, 0]]);
      }),
      { numRuns: 300 },
    );
  });
});
