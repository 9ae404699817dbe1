import { afterEach, describe, expect, it, vi } from 'vitest';
import { MINUTE_MS, SECOND_MS } from '../../src/core/clock.ts';
import { BridgeError } from '../../src/core/errors.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import type { PresenceEvent } from '../../src/presence/presence-service.ts';
import { presenceContext } from '../../src/presence/the-bridge.ts';
import { DeskWorld, MemoryCalendars, MemoryPublisher, START, away, busy } from './desk-world.ts';

let world: DeskWorld;
afterEach(async () => {
  await world.desk.close(0);
  vi.useRealTimers();
});
const to = (minute: number): Promise<unknown> => vi.advanceTimersByTimeAsync(START + minute * MINUTE_MS - Date.now());
const statesOf = (mailbox: string, publisher = world.publishers[0]!): readonly (string | undefined)[] => publisher.calls.filter(([, one]) => one === mailbox).map(([, , state]) => state);
const ctx = () => presenceContext(Date.now() + 5_000, AbortSignal.timeout(5_000));
const ME = { by: 'test', via: 'api' };

describe('publishing', () => {
  it('tells every publisher of every state, and nothing of Free to Tentative', async () => {
    world = new DeskWorld();
    world.publishers.push(new MemoryPublisher('second'));
    world.put('anna@corp.example', busy(10, 30), busy(40, 50, 'tentative'), busy(60, 70, 'oof'));
    await world.apply();
    await to(100);
    for (const publisher of world.publishers) {
      expect(publisher.calls.map(([at, , state]) => [Math.round((at - START) / SECOND_MS) / 60, state]).slice(1)).toEqual([[10, 'in-a-meeting'], [30, 'available'], [60, 'away'], [70, 'available']]);
      expect(publisher.calls[0]![2]).toBe('available');
    }
  });

  it('makes one network call for one change', async () => {
    world = new DeskWorld();
    world.put('anna@corp.example');
    await world.apply();
    await to(1);
    const asked = world.source.asked.length;
    world.change('anna@corp.example', false, busy(0, 30));
    world.desk.calendarsChanged(['anna@corp.example' as MailboxAddress]);
    await to(2);
    expect(world.source.asked.length).toBe(asked + 1);
    await to(29);
    expect(world.source.asked.length).toBe(asked + 1);
  });

  it('one that is down holds up nobody, and has the newest of everybody when it is back', async () => {
    world = new DeskWorld();
    const down = new MemoryPublisher('down');
    world.publishers.push(down);
    world.put('anna@corp.example', busy(10, 30), busy(60, 120));
    world.put('bob@corp.example', busy(10, 20));
    down.failure = away();
    await world.apply();
    await to(70);
    expect(statesOf('anna@corp.example')).toEqual(['available', 'in-a-meeting', 'available', 'in-a-meeting']);
    expect(down.calls).toEqual([]);
    expect(world.desk.status().publishers[1]).toMatchObject({ label: 'down', waiting: 2, trouble: expect.stringContaining('nobody answers') as string });
    down.failure = undefined;
    await to(71);
    expect(down.seen.get('anna@corp.example' as MailboxAddress)?.state).toBe('in-a-meeting');
    expect(down.seen.get('bob@corp.example' as MailboxAddress)?.state).toBe('available');
    expect(down.calls.length).toBe(2);
  });

  it('what is refused about one person is tried again with the next change only', async () => {
    world = new DeskWorld();
    world.put('anna@corp.example', busy(10, 30));
    const [publisher] = world.publishers;
    publisher!.failure = new BridgeError('MAILBOX_UNKNOWN', 'no such user');
    await world.apply();
    await to(5);
    expect([...world.desk.followed()][0]!.trouble).toContain('no such user');
    publisher!.failure = undefined;
    await to(11);
    expect(statesOf('anna@corp.example')).toEqual(['in-a-meeting']);
    expect([...world.desk.followed()][0]!.trouble).toBeUndefined();
  });

  it('after a restart a server is told everybody, and one that keeps nothing only of whom it was told otherwise', async () => {
    world = new DeskWorld();
    const room = Object.assign(new MemoryPublisher('room'), { isOnlyTold: true });
    world.publishers.push(room);
    world.put('anna@corp.example', busy(0, 30));
    world.put('bob@corp.example', busy(0, 30));
    await world.apply();
    await to(1);
    world.source.calendars.set('bob@corp.example' as MailboxAddress, []);
    for (const publisher of world.publishers) publisher.calls.length = 0;
    await world.restart();
    await to(2);
    expect(world.publishers[0]!.calls.map(([, one, state]) => [one, state])).toEqual([['anna@corp.example', 'in-a-meeting'], ['bob@corp.example', 'available']]);
    expect(room.calls.map(([, one, state]) => [one, state])).toEqual([['bob@corp.example', 'available']]);
    world.desk.resync('all');
    await to(3);
    expect(room.calls).toHaveLength(3);
  });

  it('a server that lost everything is told everything again', async () => {
    world = new DeskWorld();
    world.put('anna@corp.example', busy(0, 30));
    await world.apply();
    await to(1);
    const [publisher] = world.publishers;
    publisher!.seen.clear();
    publisher!.onLost();
    await to(2);
    expect(publisher!.seen.get('anna@corp.example' as MailboxAddress)?.state).toBe('in-a-meeting');
  });
});

it('a publisher that is gone from the configuration takes away what it has shown', async () => {
  world = new DeskWorld();
  const gone = new MemoryPublisher('gone');
  world.publishers.push(gone);
  world.put('anna@corp.example', busy(0, 60));
  await world.apply();
  await to(1);
  expect(gone.seen.size).toBe(1);
  world.setup = { ...world.setup, publishers: [world.publishers[0]!] };
  await world.apply();
  await to(2);
  expect([gone.seen.size, gone.isClosed, world.publishers[0]!.seen.size]).toEqual([0, true, 1]);
});

describe('opting in and out', () => {
  it('shows at once, and withdraws at once', async () => {
    world = new DeskWorld({ calendarSpread: 59 });
    world.source.calendars.set('anna@corp.example' as MailboxAddress, [busy(-5, 30)]);
    await world.apply();
    expect(await world.desk.presenceOf('anna@corp.example' as MailboxAddress, ctx())).toBeUndefined();
    expect(await world.desk.switch('anna@corp.example' as MailboxAddress, true, ME)).toBe(true);
    expect(await world.desk.presenceOf('anna@corp.example' as MailboxAddress, ctx())).toMatchObject({ state: 'in-a-meeting' });
    await vi.advanceTimersByTimeAsync(SECOND_MS);
    expect(statesOf('anna@corp.example')).toEqual(['in-a-meeting']);
    expect(await world.desk.switch('anna@corp.example' as MailboxAddress, false, ME)).toBe(true);
    await vi.advanceTimersByTimeAsync(SECOND_MS);
    expect(statesOf('anna@corp.example')).toEqual(['in-a-meeting', undefined]);
    expect(await world.desk.presenceOf('anna@corp.example' as MailboxAddress, ctx())).toBeUndefined();
    expect(world.watch.followed.size).toBe(0);
  });

  it('is refused with a reason where there is no gateway', async () => {
    world = new DeskWorld({ obstacleOf: () => new BridgeError('CONFIGURATION', 'no gateway for exchange') });
    await world.apply();
    await expect(world.desk.switch('anna@corp.example' as MailboxAddress, true, ME)).rejects.toMatchObject({ code: 'CONFIGURATION' });
    expect(world.desk.optIns()).toEqual([]);
    expect(await world.desk.switch('anna@corp.example' as MailboxAddress, false, ME)).toBe(false);
  });

  it('who opted out while we were away is withdrawn at the next start', async () => {
    world = new DeskWorld();
    world.put('anna@corp.example', busy(0, 60));
    await world.apply();
    await to(1);
    await world.desk.close(0);
    world.optIns.on.set('anna@corp.example' as MailboxAddress, false);
    await world.restart();
    await to(2);
    expect(world.publishers[0]!.seen.size).toBe(0);
  });

  it('who was on the way to the server when the process ended is withdrawn at the next start', async () => {
    world = new DeskWorld();
    world.put('anna@corp.example', busy(0, 60));
    const [publisher] = world.publishers;
    const publish = publisher!.publish.bind(publisher);
    publisher!.publish = async (mailbox, shown) => {
      await publish(mailbox, shown);
      // The answer never comes.
      await new Promise(() => undefined);
    };
    await world.apply();
    await to(1);
    expect(publisher!.seen.size).toBe(1);
    await world.desk.close(0);
    world.optIns.on.set('anna@corp.example' as MailboxAddress, false);
    await world.restart();
    await to(2);
    expect(publisher!.seen.size).toBe(0);
  });

  it('an alias is its owner, and the owner\'s no is stronger than a list with the alias', async () => {
    world = new DeskWorld({ resolve: (mailbox) => (mailbox === 'ann@corp.example' ? ('anna@corp.example' as MailboxAddress) : mailbox) });
    world.source.calendars.set('anna@corp.example' as MailboxAddress, [busy(0, 30)]);
    world.optIns.on.set('ann@corp.example' as MailboxAddress, true);
    await world.apply();
    expect(await world.desk.presenceOf('ann@corp.example' as MailboxAddress, ctx())).toMatchObject({ state: 'in-a-meeting' });
    expect(await world.desk.presenceOf('anna@corp.example' as MailboxAddress, ctx())).toMatchObject({ state: 'in-a-meeting' });
    await world.desk.switch('anna@corp.example' as MailboxAddress, false, ME);
    world.desk.sync();
    expect(await world.desk.presenceOf('ann@corp.example' as MailboxAddress, ctx())).toBeUndefined();
  });
});

describe('what cannot be read', () => {
  it('is what it was for ten minutes, then unknown, and right again when the server is back', async () => {
    world = new DeskWorld();
    world.put('anna@corp.example', busy(0, 300));
    await world.apply();
    await to(1);
    world.source.failure = away();
    world.desk.calendarsChanged(['anna@corp.example' as MailboxAddress]);
    await to(10);
    expect(statesOf('anna@corp.example')).toEqual(['in-a-meeting']);
    expect(await world.desk.presenceOf('anna@corp.example' as MailboxAddress, ctx())).toMatchObject({ state: 'unknown', until: null });
    await to(12);
    expect(statesOf('anna@corp.example')).toEqual(['in-a-meeting', 'unknown']);
    world.source.failure = undefined;
    await to(14);
    expect(statesOf('anna@corp.example')).toEqual(['in-a-meeting', 'unknown', 'in-a-meeting']);
  });

  it('whoever comes to another gateway is what he was until that one has answered', async () => {
    world = new DeskWorld();
    world.put('anna@corp.example', busy(0, 300));
    await world.apply();
    await to(1);
    const silent = new MemoryCalendars();
    silent.failure = away();
    world.channel = { ...world.channel, name: 'Second', source: silent };
    await world.apply();
    expect(await world.desk.presenceOf('anna@corp.example' as MailboxAddress, ctx())).toMatchObject({ state: 'in-a-meeting' });
    silent.failures.set('anna@corp.example' as MailboxAddress, new BridgeError('MAILBOX_UNKNOWN', 'no such mailbox'));
    silent.failure = undefined;
    expect(await world.desk.presenceOf('anna@corp.example' as MailboxAddress, ctx())).toMatchObject({ state: 'unknown' });
  });

  it('a question that was under way when the gateway changed is answered with what he is', async () => {
    world = new DeskWorld();
    world.put('anna@corp.example', busy(0, 300));
    await world.apply();
    await to(2);
    const never = vi.spyOn(world.source, 'freeBusy').mockReturnValueOnce(new Promise(() => undefined));
    const asked = world.desk.presenceOf('anna@corp.example' as MailboxAddress, ctx());
    expect(never).toHaveBeenCalled();
    world.channel = { ...world.channel, name: 'Second' };
    await world.apply();
    await to(3);
    expect(await asked).toMatchObject({ state: 'in-a-meeting' });
  });

  it('is unknown at once where the server knows that there is no such mailbox', async () => {
    world = new DeskWorld();
    world.put('anna@corp.example', busy(0, 300));
    await world.apply();
    await to(1);
    world.source.failures.set('anna@corp.example' as MailboxAddress, new BridgeError('MAILBOX_UNKNOWN', 'no such mailbox'));
    world.desk.calendarsChanged(['anna@corp.example' as MailboxAddress]);
    await to(2);
    expect(statesOf('anna@corp.example')).toEqual(['in-a-meeting', 'unknown']);
  });

  it('one who lives nowhere is unknown, not unheard of', async () => {
    world = new DeskWorld({ channelOf: () => undefined });
    world.put('anna@else.example');
    await world.apply();
    expect(await world.desk.presenceOf('anna@else.example' as MailboxAddress, ctx())).toMatchObject({ state: 'unknown', until: null });
  });

  it('refused credentials are not tried again for minutes', async () => {
    world = new DeskWorld();
    for (let index = 0; index < 500; index++) world.put(`user${index}@corp.example`);
    world.source.failure = new BridgeError('BACKEND_AUTH', 'wrong password');
    await world.apply();
    await to(4);
    expect(world.source.asked.length).toBeLessThanOrEqual(8);
  });
});

describe('lost notifications', () => {
  it('are made good within the hour', async () => {
    world = new DeskWorld();
    world.put('anna@corp.example');
    await world.apply();
    await to(5);
    world.change('anna@corp.example', true, busy(0, 600));
    await to(62);
    expect(statesOf('anna@corp.example')).toEqual(['available', 'in-a-meeting']);
  });

  it('and within five minutes where nobody tells at all', async () => {
    world = new DeskWorld();
    world.watch.mode = 'polled';
    world.put('anna@corp.example');
    await world.apply();
    await to(1);
    world.change('anna@corp.example', true, busy(0, 600));
    await to(6.1);
    expect(statesOf('anna@corp.example')).toEqual(['available', 'in-a-meeting']);
  });

  it('a change while the calendar is being read is read once more', async () => {
    world = new DeskWorld();
    const anna = world.put('anna@corp.example');
    await world.apply();
    await to(1);
    let release = (): void => undefined;
    const freeBusy = world.source.freeBusy.bind(world.source);
    world.source.freeBusy = async (...question) => {
      const answer = await freeBusy(...question);
      await new Promise<void>((resolve) => (release = resolve));
      return answer;
    };
    world.desk.calendarsChanged([anna]);
    await vi.advanceTimersByTimeAsync(SECOND_MS);
    world.change(anna, false, busy(0, 60));
    world.source.freeBusy = freeBusy;
    release();
    await vi.advanceTimersByTimeAsync(SECOND_MS);
    expect(statesOf(anna)).toEqual(['available', 'in-a-meeting']);
  });
});

it('a restart in the middle of a meeting changes nothing for anybody', async () => {
  world = new DeskWorld({ calendarSpread: 59 });
  world.put('anna@corp.example', busy(10, 60));
  world.put('bob@corp.example', busy(20, 60, 'oof'));
  await world.apply();
  const events: PresenceEvent[] = [];
  await to(30);
  await world.restart();
  world.desk.subscribe((event) => events.push(event));
  await to(40);
  expect(events.map(({ mailbox, shown }) => [mailbox, shown?.state])).toEqual([]);
  expect(statesOf('anna@corp.example')).toEqual(['available', 'in-a-meeting', 'in-a-meeting']);
  await to(62);
  expect(statesOf('anna@corp.example').at(-1)).toBe('available');
});

it('a new configuration disturbs nobody: what stays goes on, another gateway reads anew, the state is kept meanwhile', async () => {
  world = new DeskWorld();
  const anna = world.put('anna@corp.example', busy(0, 60));
  await world.apply();
  await to(1);
  const before = world.publishers[0]!.calls.length;
  const other = new DeskWorld().source;
  vi.setSystemTime(START + MINUTE_MS);
  other.failure = away();
  world.channel = { ...world.channel, name: 'New office', source: other };
  await world.apply();
  await to(3);
  expect(world.publishers[0]!.seen.get(anna)?.state).toBe('in-a-meeting');
  other.failure = undefined;
  other.calendars.set(anna, [busy(0, 60)]);
  await to(5);
  expect(world.publishers[0]!.calls.length).toBe(before);
  expect(world.publishers[0]!.isClosed).toBe(false);
});

it('a publisher that is configured otherwise takes over when the former one of its name has ended', async () => {
  world = new DeskWorld();
  world.put('anna@corp.example', busy(0, 60));
  await world.apply();
  await to(1);
  const [former] = world.publishers;
  const next = new MemoryPublisher();
  const order: string[] = [];
  former!.close = async () => {
    await Promise.resolve();
    order.push('former ended');
  };
  next.start = () => void order.push('next began');
  world.setup = { ...world.setup, publishers: [next] };
  await world.apply();
  await to(2);
  expect(order.slice(0, 2)).toEqual(['former ended', 'next began']);
  expect(next.seen.size).toBe(1);
});

it('other texts are told to whoever shows one, and to nobody else', async () => {
  world = new DeskWorld();
  const anna = world.put('anna@corp.example', busy(0, 60));
  const ben = world.put('ben@corp.example');
  await world.apply();
  await to(1);
  world.setup = { ...world.setup, textFor: (state) => ({ text: state === 'in-a-meeting' ? 'In einer Besprechung' : '', language: 'de' }) };
  await world.apply();
  await world.apply();
  await to(2);
  expect(world.publishers[0]!.seen.get(anna)?.text).toBe('In einer Besprechung');
  expect(statesOf(anna)).toHaveLength(2);
  expect(statesOf(ben)).toHaveLength(1);
});

it('people go to another gateway when theirs does not answer', async () => {
  world = new DeskWorld();
  const anna = world.put('anna@corp.example', busy(0, 60));
  const first = world.channel;
  const second = { ...first, name: 'Second', source: new DeskWorld().source };
  vi.setSystemTime(START);
  second.source.calendars.set(anna, [busy(0, 60)]);
  world.setup = { ...world.setup, channelOf: (_mailbox, isUp) => (isUp(first) ? first : second) };
  world.source.failure = away();
  await world.apply();
  await to(2);
  expect(world.publishers[0]!.seen.get(anna)?.state).toBe('in-a-meeting');
  expect([...world.desk.followed()][0]!.through).toBe('Second');
});

describe('events', () => {
  it('come with numbers, and again from a number on', async () => {
    world = new DeskWorld();
    world.put('anna@corp.example', busy(10, 20), busy(30, 40));
    await world.apply();
    const all: PresenceEvent[] = [];
    world.desk.subscribe((event) => all.push(event));
    await to(50);
    expect(all.map(({ shown }) => shown?.state)).toEqual(['available', 'in-a-meeting', 'available', 'in-a-meeting', 'available'].slice(-all.length));
    const again: PresenceEvent[] = [];
    const { missed } = world.desk.subscribe((event) => again.push(event), all[1]!.id);
    expect(missed).toBe(false);
    expect(again).toEqual(all.slice(2));
  });

  it.each(['', 'nonsense', '000000000000-1', '-5'])('behind %j nobody knows what was missed', async (after) => {
    world = new DeskWorld();
    await world.apply();
    expect(world.desk.subscribe(() => undefined, after).missed).toBe(true);
  });
});

describe('other sources', () => {
  it('show at once, survive a restart, and give way again', async () => {
    world = new DeskWorld({ calendarSpread: 59 });
    const anna = world.put('anna@corp.example', busy(10, 30));
    await world.apply();
    await to(5);
    await world.desk.setOwn(anna, 'manual', 'away', null, ME);
    await vi.advanceTimersByTimeAsync(10);
    expect(statesOf(anna)).toEqual(['available', 'away']);
    await to(12);
    await world.restart();
    await to(35);
    expect(world.publishers[0]!.calls.map(([, , state]) => state)).toEqual(['available', 'away', 'in-a-meeting', 'in-a-meeting', 'away']);
    await world.desk.setOwn(anna, 'manual', undefined, null, ME);
    await vi.advanceTimersByTimeAsync(10);
    expect(statesOf(anna).at(-1)).toBe('available');
  });

  it('may say only what is theirs to say', async () => {
    world = new DeskWorld();
    const anna = world.put('anna@corp.example');
    await world.apply();
    await expect(world.desk.setOwn(anna, 'phone', 'away', null, ME)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(world.desk.setOwn('bob@corp.example' as MailboxAddress, 'phone', 'on-the-phone', null, ME)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
