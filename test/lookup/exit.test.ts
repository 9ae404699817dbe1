import { describe, expect, it } from 'vitest';
import { noAudit } from '../../src/core/audit.ts';
import type { AuditEntry } from '../../src/core/audit.ts';
import { BridgeError, ERROR_CODES } from '../../src/core/errors.ts';
import { systemClock } from '../../src/core/clock.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { noMetrics } from '../../src/core/metrics.ts';
import { DETAIL_LEVELS } from '../../src/core/request-context.ts';
import type { Requester, RequestContext } from '../../src/core/request-context.ts';
import type { FreeBusyResult } from '../../src/freebusy/source.ts';
import { asUnknown, errorAsShown, levelOf } from '../../src/lookup/exit.ts';
import { Lookup } from '../../src/lookup/lookup.ts';
import { Routing } from '../../src/lookup/routing.ts';
import type { HomeSystem } from '../../src/lookup/routing.ts';
import { ASKER, context } from '../freebusy/asking.ts';
import { ANNA, at } from '../freebusy/oracle.ts';
import { AD, address, entry, gal, put } from '../gal/gal-world.ts';
import { busy, summary, system } from './systems.ts';
import type { Answering } from './systems.ts';

const CLIENT: Requester = { ...ASKER, name: 'client', mayAsk: new Set(['corp', 'zimbra']) };
const WINDOW = { start: at(0), end: at(60) };

describe('what is shown at most', () => {
  it('is the narrower of client and system, and details only where they are wanted', () => {
    for (const client of DETAIL_LEVELS.slice(1)) {
      for (const most of ['free-busy', 'busy-type', 'details'] as const) {
        const narrower = DETAIL_LEVELS[Math.min(DETAIL_LEVELS.indexOf(client), DETAIL_LEVELS.indexOf(most))];
        expect(levelOf({ ...CLIENT, detail: client }, { detail: most }, true)).toBe(narrower);
        expect(levelOf({ ...CLIENT, detail: client }, { detail: most }, false)).toBe(narrower === 'details' ? 'busy-type' : narrower);
      }
      expect(levelOf({ ...CLIENT, detail: client }, {}, true)).toBe(client);
    }
  });

  it('is every busy type to presence, whatever the system shows to clients', () => {
    expect(levelOf({ ...ASKER, detail: 'busy-type', seesHidden: true }, { detail: 'free-busy' }, false)).toBe('busy-type');
  });
});

describe('why there is no answer', () => {
  it.each(ERROR_CODES)('%s', (code) => {
    const [firm, passing] = [new BridgeError(code, 'secret'), new BridgeError(code, 'secret', { temporary: true, details: { x: 1 } })];
    const unknown = new BridgeError('MAILBOX_UNKNOWN', 'no such mailbox');
    const isHidden = ['MAILBOX_UNKNOWN', 'MAILBOX_REFUSED', 'NO_DATA'].includes(code);
    expect(errorAsShown(firm, CLIENT)).toEqual(isHidden ? unknown : firm);
    expect(errorAsShown(passing, CLIENT)).toEqual(isHidden && code !== 'NO_DATA' ? unknown : passing);
    expect(errorAsShown(firm, ASKER)).toBe(firm);
    for (const error of [firm, passing]) {
      expect(errorAsShown(error, { ...CLIENT, anonymous: true })).toEqual(isHidden || code === 'LOOP' ? unknown : error);
      expect(asUnknown({ mailbox: ANNA, error })).toEqual({ mailbox: ANNA, error: isHidden || code === 'LOOP' ? unknown : error });
    }
  });
});

interface World {
  readonly ask: (mailboxes: readonly string[], requester?: Partial<Requester>, ctx?: Partial<RequestContext>, details?: boolean) => Promise<readonly FreeBusyResult[]>;
  readonly asked: () => Readonly<Record<string, readonly string[]>>;
  readonly audited: AuditEntry[];
}

function world(hidden: readonly string[] = [], changes: Partial<HomeSystem> = {}, members?: readonly string[]): World {
  const corp = system('corp', changes);
  const zimbra = system('zimbra');
  const both = system('other');
  const book = gal(undefined, [corp, zimbra, both]);
  put(book, { ...AD, home: 'corp' }, ...(members === undefined ? [] : [entry('team@corp.example', { kind: 'group', members })]), entry('anna@corp.example', { aliases: ['a@corp.example'] }));
  const audited: AuditEntry[] = [];
  const lookup = new Lookup({
    routing: new Routing([corp, zimbra, both], book),
    workingElsewhereAs: 'free',
    clock: systemClock,
    logger: silentLogger,
    metrics: noMetrics,
    privacy: { reasonToHide: (mailbox) => (hidden.includes(mailbox) ? 'it has opted out' : undefined) },
    audit: { record: (one) => void audited.push(one) },
  });
  return {
    ask: (mailboxes, requester = {}, ctx = {}, details = true) => lookup.freeBusy({ mailboxes: mailboxes.map(address), window: WINDOW, details }, context({ requester: { ...CLIENT, ...requester }, face: 'json', address: '10.0.0.7', ...ctx })),
    asked: () => Object.fromEntries([corp, zimbra, both].map((one) => [one.name, one.asked.flatMap(([query]) => query.mailboxes)])),
    audited,
  };
}

describe('somebody hidden', () => {
  it('is asked about under the address that was written, and answered as unknown', async () => {
    const { ask, asked } = world(['anna@corp.example', 'kim@zimbra.example']);
    expect(summary(await ask(['a@corp.example', 'anna@corp.example', 'kim@zimbra.example', 'lee@corp.example']))).toEqual(['a@corp.example MAILBOX_UNKNOWN', 'anna@corp.example MAILBOX_UNKNOWN', 'kim@zimbra.example MAILBOX_UNKNOWN', 'lee@corp.example ok']);
    expect(asked()).toEqual({ corp: ['a@corp.example', 'anna@corp.example', 'lee@corp.example'], zimbra: ['kim@zimbra.example'], other: [] });
  });

  it('is said to be hidden to the bridge’s own questions, without asking; presence sees them', async () => {
    const { ask, asked } = world(['anna@corp.example']);
    const [own] = await ask(['anna@corp.example'], { mayAsk: 'all' });
    expect(own).toMatchObject({ error: { code: 'MAILBOX_REFUSED', publicMessage: 'it has opted out' } });
    expect(asked()['corp']).toEqual([]);
    expect(summary(await ask(['anna@corp.example'], { mayAsk: 'all', seesHidden: true }))).toEqual(['anna@corp.example ok']);
  });

  it('makes the rest of a group’s time unknown, and is not named', async () => {
    const quiet = (async (query) => (await busy(query, context())).map((one) => ('error' in one ? one : { ...one, freeBusy: { ...one.freeBusy, busy: [], events: [] } }))) satisfies Answering;
    const { ask } = world(['anna@corp.example'], { system: { freeBusy: quiet, probe: async () => [], close: async () => undefined } }, ['anna@corp.example', 'kim@zimbra.example']);
    const [group] = await ask(['team@corp.example'], { mayAsk: new Set(['corp']) });
    expect(group).toMatchObject({ error: { code: 'MAILBOX_UNKNOWN' } });
    const mixed = world(['anna@corp.example'], {}, ['anna@corp.example', 'lee@corp.example']);
    const [half] = await mixed.ask(['team@corp.example']);
    expect(half).toMatchObject({ freeBusy: { busy: [{ busyType: 'oof' }] } });
    expect(JSON.stringify(half)).not.toContain('anna');
    const free = world(['anna@corp.example'], { system: { freeBusy: quiet, probe: async () => [], close: async () => undefined } }, ['anna@corp.example', 'lee@corp.example']);
    expect((await free.ask(['team@corp.example']))[0]).toMatchObject({ freeBusy: { busy: [{ ...WINDOW, busyType: 'no-data' }] } });
  });

  it('is a loop where an unknown one of the domain would be', async () => {
    const { ask, asked } = world(['anna@corp.example']);
    expect(summary(await ask(['anna@corp.example', 'nobody@corp.example'], { from: 'corp' }))).toEqual(['anna@corp.example LOOP', 'nobody@corp.example LOOP']);
    expect(asked()['corp']).toEqual([]);
  });
});

describe('a system’s own detail', () => {
  it('keeps details from being asked for, and from being shown', async () => {
    const corp = system('corp', { detail: 'busy-type' });
    const lookup = new Lookup({ routing: new Routing([corp, system('zimbra')]), workingElsewhereAs: 'free', clock: systemClock, logger: silentLogger, metrics: noMetrics, audit: noAudit });
    const [anna, kim] = await lookup.freeBusy({ mailboxes: [address('anna@corp.example'), address('kim@zimbra.example')], window: WINDOW, details: true }, context({ requester: CLIENT }));
    expect(corp.asked[0]![0].details).toBe(false);
    expect(JSON.stringify(anna)).not.toContain('canary');
    expect(JSON.stringify(kim)).toContain('canary-subject');
    expect(JSON.stringify(kim)).not.toContain('canary-private');
  });
});

describe('the audit of a question', () => {
  it('is a line for what was shown alike, and one for each reason why nothing was', async () => {
    const { ask, audited } = world(['anna@corp.example'], { detail: 'free-busy' });
    await ask(['anna@corp.example', 'lee@corp.example', 'kim@zimbra.example', 'bob@corp.example', 'x@other.example', 'x@gone.example']);
    const same = { what: 'lookup', by: 'client client', via: 'json', address: '10.0.0.7', requestId: 'test', start: new Date(WINDOW.start).toISOString(), end: new Date(WINDOW.end).toISOString(), asked: 6 };
    expect(audited.map((one) => JSON.parse(JSON.stringify(one)) as unknown)).toEqual([
      { ...same, level: 'none', code: 'HIDDEN', mailboxes: ['anna@corp.example'] },
      { ...same, level: 'free-busy', mailboxes: ['lee@corp.example', 'bob@corp.example'] },
      { ...same, level: 'details', mailboxes: ['kim@zimbra.example'] },
      { ...same, level: 'none', code: 'ACCESS_DENIED', mailboxes: ['x@other.example'] },
      { ...same, level: 'none', code: 'MAILBOX_UNKNOWN', mailboxes: ['x@gone.example'] },
    ]);
  });

  it('of many mailboxes is several lines, and none is left out', async () => {
    const { ask, audited } = world();
    const many = Array.from({ length: LIMITS.mailboxesPerQuestion }, (_, n) => `p${n}@corp.example`);
    await ask(many);
    expect(audited.map(({ mailboxes }) => (mailboxes as readonly string[]).length)).toEqual(Array.from({ length: 5 }, () => LIMITS.auditedMailboxes));
    expect(audited.flatMap(({ mailboxes }) => mailboxes)).toEqual(many);
  });

  it('of a group names who was looked into', async () => {
    const { ask, audited } = world(['anna@corp.example'], {}, ['anna@corp.example', 'kim@zimbra.example']);
    await ask(['team@corp.example'], {}, {}, false);
    expect(audited).toMatchObject([{ level: 'none', code: 'HIDDEN', group: 'team@corp.example', mailboxes: ['anna@corp.example'] }, { level: 'busy-type', group: 'team@corp.example', mailboxes: ['kim@zimbra.example'] }]);
  });

  it('is none for what the bridge asks for itself', async () => {
    const { ask, audited } = world();
    await ask(['lee@corp.example'], { mayAsk: 'all' }, { face: undefined } as unknown as Partial<RequestContext>);
    expect(audited).toEqual([]);
  });
});
