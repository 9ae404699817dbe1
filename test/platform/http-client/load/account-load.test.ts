import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/core/limits.ts';
import type { Turn } from '../../../../src/platform/http-client/load/back-end-load.ts';
import { LoadWorld, SERVER, never, soFar } from './load-world.ts';

const busy = { error: { code: 'BACKEND_BUSY', temporary: true, retryAfterMs: expect.any(Number) as number } };

describe('turns', () => {
  it('are had by so many at the same time; the others wait in the order in which they came', async () => {
    const world = new LoadWorld();
    const load = world.load(2);
    const order: number[] = [];
    const turns = Array.from({ length: 5 }, async (_, index) => {
      const turn = await load.enter(never());
      order.push(index);
      return turn;
    });
    await Promise.all(turns.slice(0, 2));
    expect(await soFar(turns[2]!)).toBe('waiting');
    expect(world.state()).toMatchObject({ server: SERVER, inFlight: 2, waiting: 3, concurrency: 2 });
    (await turns[1]!).done('answered');
    (await turns[2]!).done('failed');
    await turns[3]!;
    expect(await soFar(turns[4]!)).toBe('waiting');
    (await turns[0]!).done('given-up');
    await turns[4]!;
    expect(order).toEqual([0, 1, 2, 3, 4]);
    for (const turn of turns) (await turn).done('answered');
    expect(world.state()).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it('end once, however often they are ended', async () => {
    const world = new LoadWorld();
    const load = world.load(1);
    const first = await load.enter(never());
    first.done('answered');
    const second = await load.enter(never());
    first.done('answered');
    first.done('failed');
    expect(world.state()!.inFlight).toBe(1);
    expect(await soFar(load.enter(never()))).toBe('waiting');
    second.done('answered');
    expect(world.state()).toMatchObject({ inFlight: 1, waiting: 0 });
  });

  it('of another account and of another server are others', async () => {
    const world = new LoadWorld();
    await world.load(1).enter(never());
    await world.load(1, 'second').enter(never());
    await world.load(1, 'reader', 'https://other.corp.example').enter(never());
    expect(world.book.states().map(({ server, account, inFlight }) => [server, account, inFlight])).toEqual([
      [SERVER, 'reader', 1],
      [SERVER, 'second', 1],
      ['https://other.corp.example', 'reader', 1],
    ]);
  });

  it('are the same for everybody who asks for the load of an account', async () => {
    const world = new LoadWorld();
    const [one, other] = [world.load(1), world.load(1)];
    await one.enter(never());
    expect(await soFar(other.enter(never()))).toBe('waiting');
  });
});

describe('who waits', () => {
  it('and whose signal fires leaves at once, and nobody loses a place by it', async () => {
    const world = new LoadWorld();
    const load = world.load(1);
    const first = await load.enter(never());
    const hasty = new AbortController();
    const gone = load.enter(hasty.signal);
    const next = load.enter(never());
    hasty.abort();
    expect(await soFar(gone)).toMatchObject({ error: { code: 'DEADLINE' } });
    expect(world.state()).toMatchObject({ inFlight: 1, waiting: 1 });
    first.done('answered');
    (await next).done('answered');
    expect(world.state()).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  it('comes too late with a signal that has fired: it takes no turn', async () => {
    const world = new LoadWorld();
    expect(await soFar(world.load().enter(AbortSignal.abort()))).toMatchObject({ error: { code: 'DEADLINE' } });
    expect(world.state()!.inFlight).toBe(0);
  });

  it('is refused at once where the queue is full, with a time to come again', async () => {
    const world = new LoadWorld();
    const load = world.load(2);
    for (let turn = 0; turn < 2; turn++) await load.enter(never());
    const waiting = Array.from({ length: 2 * LIMITS.waitersPerTurn }, () => load.enter(never()));
    expect(await soFar(load.enter(never()))).toMatchObject(busy);
    expect(await soFar(waiting.at(-1)!)).toBe('waiting');
    expect(world.refused).toEqual(['mail.corp.example queue-full']);
  });

  it('is refused where too many wait over all back ends', async () => {
    const world = new LoadWorld();
    const servers = Math.ceil(LIMITS.waitingForBackEnds / (20 * LIMITS.waitersPerTurn)) + 1;
    const outcomes = new Map<string, number>();
    for (let server = 0; server < servers; server++) {
      const load = world.load(20, '', `http://server${server}.example`);
      for (let request = 0; request < 20 + 20 * LIMITS.waitersPerTurn; request++) load.enter(never()).catch((error: unknown) => outcomes.set(String(error), (outcomes.get(String(error)) ?? 0) + 1));
    }
    await soFar(Promise.resolve());
    expect(world.book.states().reduce((sum, { waiting }) => sum + waiting, 0)).toBe(LIMITS.waitingForBackEnds);
    expect([...outcomes.values()]).toEqual([20 * LIMITS.waitersPerTurn]);
    expect(new Set(world.refused.map((one) => one.split(' ')[1]))).toEqual(new Set(['all-queues-full']));
  });

  it('would have its turn too late hears so at once; whoever has the time waits', async () => {
    const world = new LoadWorld();
    const load = world.load(1);
    for (let request = 0; request < 5; request++) await world.request(load, 'answered', 1_000);
    await load.enter(never(), world.now + 5_000);
    // The first in the queue has its turn in a second, which is half of what it has left.
    expect(await soFar(load.enter(never(), world.now + 1_900))).toMatchObject({ error: { code: 'BACKEND_BUSY', details: { reason: 'too-late' } } });
    expect(await soFar(load.enter(never(), world.now + 2_100))).toBe('waiting');
    // The second has it in two, with a second for the answer: that would do, but half of its time is over by then.
    expect(await soFar(load.enter(never(), world.now + 3_900))).toMatchObject(busy);
    expect(await soFar(load.enter(never(), world.now + 4_100))).toBe('waiting');
    expect(await soFar(load.enter(never()))).toBe('waiting');
  });

  it('and whose time is nearly over when its turn comes is not sent', async () => {
    const world = new LoadWorld();
    const load = world.load(1);
    for (let request = 0; request < 5; request++) await world.request(load, 'answered', 1_000);
    const slow = await load.enter(never());
    const late = load.enter(never(), world.now + 4_000);
    const patient = load.enter(never(), world.now + 10_000);
    world.now += 3_900;
    slow.done('answered');
    expect(await soFar(late)).toMatchObject(busy);
    expect(await soFar(patient)).toMatchObject({ done: expect.any(Function) as unknown });
  });

  it('is never refused where a turn is free, however slow the server was', async () => {
    const world = new LoadWorld();
    const load = world.load(1);
    for (let request = 0; request < 20; request++) await world.request(load, 'answered', 60_000);
    (await load.enter(never(), world.now + 100)).done('answered');
    expect(world.refused).toEqual([]);
  });
});

describe('another concurrency', () => {
  it('that is higher lets in who waits, at once', async () => {
    const world = new LoadWorld();
    const load = world.load(1);
    await load.enter(never());
    const waiting = Array.from({ length: 3 }, () => load.enter(never()));
    load.setConcurrency(3);
    await Promise.all(waiting.slice(0, 2));
    expect(world.state()).toMatchObject({ inFlight: 3, waiting: 1, concurrency: 3 });
  });

  it('that is lower lets what is under way end, and nobody in before', async () => {
    const world = new LoadWorld();
    const load = world.load(3);
    const turns: Turn[] = [];
    for (let turn = 0; turn < 3; turn++) turns.push(await load.enter(never()));
    const next = load.enter(never());
    load.setConcurrency(1);
    turns[0]!.done('answered');
    turns[1]!.done('answered');
    expect(await soFar(next)).toBe('waiting');
    turns[2]!.done('answered');
    expect(await soFar(next)).toMatchObject({ done: expect.any(Function) as unknown });
    expect(world.state()).toMatchObject({ inFlight: 1, concurrency: 1 });
  });

  it.each([0, -1, Number.NaN, 1.5])('that is none (%d) is one', (most) => {
    const world = new LoadWorld();
    world.load().setConcurrency(most);
    expect(world.state()!.concurrency).toBe(1);
  });

  it('has a bound', () => {
    const world = new LoadWorld();
    world.load(1_000_000);
    expect(world.state()!.concurrency).toBe(LIMITS.mostRequestsPerBackEnd);
  });

  it('that was learnt outlives a reload of the same configuration, and no other', () => {
    const world = new LoadWorld();
    world.load(10).setConcurrency(27);
    world.load(10);
    expect(world.state()!.concurrency).toBe(27);
    world.load(5);
    expect(world.state()!.concurrency).toBe(5);
  });
});

describe('a server that asks for a pause', () => {
  it('is not asked until it is over; who asks meanwhile, and who waits, hears how long it takes', async () => {
    const world = new LoadWorld();
    const load = world.load(1);
    const turn = await load.enter(never());
    const waiting = load.enter(never());
    load.holdOff(60_000);
    expect(await soFar(waiting)).toMatchObject({ error: { code: 'BACKEND_BUSY', temporary: true, retryAfterMs: 60_000 } });
    expect(world.state()).toMatchObject({ waiting: 0, heldOffUntil: world.now + 60_000 });
    turn.done('answered');
    world.now += 45_000;
    expect(await soFar(load.enter(never()))).toMatchObject({ error: { code: 'BACKEND_BUSY', retryAfterMs: 15_000 } });
    world.now += 15_000;
    expect(await soFar(load.enter(never()))).toMatchObject({ done: expect.any(Function) as unknown });
    expect(world.state()!.heldOffUntil).toBeUndefined();
    expect(world.refused).toEqual(['mail.corp.example held-off', 'mail.corp.example held-off']);
  });

  it('gets the longest that it has asked for; nothing and nonsense are no pause', async () => {
    const world = new LoadWorld();
    const load = world.load();
    for (const ms of [0, -5, Number.NaN]) load.holdOff(ms);
    expect(world.state()!.heldOffUntil).toBeUndefined();
    load.holdOff(60_000);
    load.holdOff(1_000);
    expect(world.state()!.heldOffUntil).toBe(world.now + 60_000);
  });

  it('gets it for one account, not for the others', async () => {
    const world = new LoadWorld();
    world.load().holdOff(60_000);
    expect(await soFar(world.load(2, 'second').enter(never()))).toMatchObject({ done: expect.any(Function) as unknown });
  });

  it('gets no longer one because a clock was set back', async () => {
    const world = new LoadWorld();
    const load = world.load();
    load.holdOff(10_000);
    world.now -= 3_600_000;
    expect(await soFar(load.enter(never()))).toMatchObject({ error: { retryAfterMs: 10_000 } });
    world.now += 10_000;
    expect(await soFar(load.enter(never()))).toMatchObject({ done: expect.any(Function) as unknown });
  });
});
