import { noMetrics } from '../../src/core/metrics.ts';
import type { Metrics } from '../../src/core/metrics.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { Logger } from '../../src/core/logger.ts';
import type { RequestContext } from '../../src/core/request-context.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../src/freebusy/free-busy.ts';
import type { CalendarEvent } from '../../src/freebusy/free-busy.ts';
import type { FreeBusyQuery, FreeBusyResult } from '../../src/freebusy/source.ts';
import { Lookup } from '../../src/lookup/lookup.ts';
import type { LookupOptions } from '../../src/lookup/lookup.ts';
import { Routing } from '../../src/lookup/routing.ts';
import type { HomeSystem } from '../../src/lookup/routing.ts';
import { at } from '../freebusy/oracle.ts';

export type Answering = (query: FreeBusyQuery, ctx: RequestContext) => Promise<readonly FreeBusyResult[]>;

export interface FakeSystem extends HomeSystem {
  readonly asked: (readonly [FreeBusyQuery, RequestContext])[];
}

/** Everyone is busy throughout, in a meeting with a subject. */
export const busy: Answering = async (query) =>
  query.mailboxes.map((mailbox) => {
    const events: CalendarEvent[] = [{ ...query.window, busyType: 'oof', subject: 'canary-subject', location: 'canary-place' }, { ...query.window, busyType: 'tentative', subject: 'canary-private', isPrivate: true }];
    return { mailbox, freeBusy: freeBusyFrom(mailbox, query.window, { events }), asOf: at(0) };
  });

/** Accepts and stays silent, even when told that nobody waits. */
export const silent: Answering = () => new Promise(() => undefined);

export function system(name: string, changes: Partial<HomeSystem> & { readonly answer?: Answering } = {}): FakeSystem {
  const asked: (readonly [FreeBusyQuery, RequestContext])[] = [];
  const { answer = busy, ...rest } = changes;
  return {
    name,
    isZimbra: false,
    domains: [`${name}.example`],
    mailboxes: [],
    asked,
    system: {
      freeBusy: (query, ctx) => {
        asked.push([query, ctx]);
        return answer(query, ctx);
      },
      probe: async () => [],
      close: async () => undefined,
    },
    ...rest,
  };
}

export const lookup = (systems: readonly HomeSystem[], logger: Logger = silentLogger, metrics: Metrics = noMetrics, changes: Partial<LookupOptions> = {}): Lookup =>
  new Lookup({ routing: new Routing(systems), workingElsewhereAs: 'free', clock: systemClock, logger, metrics, ...changes });

export const address = (text: string): MailboxAddress => text as MailboxAddress;

/** For each mailbox its address and `ok` or the code. */
export const summary = (results: readonly FreeBusyResult[]): readonly string[] => results.map((one) => `${one.mailbox} ${'error' in one ? one.error.code : 'ok'}`);
