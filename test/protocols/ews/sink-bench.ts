import { afterEach } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { BusyType } from '../../../src/freebusy/busy-type.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import type { BusyInterval, FreeBusy } from '../../../src/freebusy/free-busy.ts';
import { ExchangeEwsSink } from '../../../src/protocols/ews/sink.ts';
import type { ExchangeEwsSinkOptions } from '../../../src/protocols/ews/sink.ts';

export const EX = 'EX:/o=Contoso/ou=First Administrative Group';
export const FYD = 'EX:/o=Contoso/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)';
export const TEMPLATE = '/o=Contoso/ou=First Administrative Group/cn=Recipients/cn={localPart}';
export const IDENTITY = '/o=Contoso/ou=First Administrative Group/cn=Recipients/cn=jdoe';
export const SUBJECT = 'USER-/CN=RECIPIENTS/CN=JDOE';
export const PUBLISHED_AT = Date.parse('2026-02-27T12:34:56Z');
export const jdoe = 'jdoe@zimbra.example' as MailboxAddress;
export const window = { start: Date.parse('2026-03-01T00:00:00Z'), end: Date.parse('2026-06-01T00:00:00Z') };

export const stretch = (busyType: BusyType, start: string, end: string): BusyInterval => ({ busyType, start: Date.parse(`2026-${start}Z`), end: Date.parse(`2026-${end}Z`) });
export const published = (...busy: readonly BusyInterval[]): FreeBusy => freeBusyFrom(jdoe, window, { busy });

/** Events A, B, T and O of exchange.md §1.5. */
export const WORKED_EXAMPLE = published(
  stretch('busy', '03-10T09:00', '03-10T10:30'),
  stretch('busy', '03-31T22:00', '04-01T02:00'),
  stretch('tentative', '03-18T13:15', '03-18T14:00'),
  stretch('oof', '04-06T00:00', '04-11T00:00'),
);

const open: ExchangeEwsSink[] = [];
afterEach(async () => {
  for (const sink of open.splice(0)) await sink.close();
});

/** A sink at that endpoint; ends with the test. */
export function sinkAt(url: URL, over: Partial<ExchangeEwsSinkOptions> = {}): ExchangeEwsSink {
  const sink = new ExchangeEwsSink({
    name: 'exchange',
    servers: [url],
    accounts: [{ kind: 'basic', username: 'CORP\\bridge', password: 'pässword' }],
    hosts: [],
    legacyExchangeDn: TEMPLATE,
    clock: { now: () => PUBLISHED_AT },
    logger: silentLogger,
    ...over,
  });
  open.push(sink);
  return sink;
}

/** What the work fails with; a failure if it does not. */
export async function thrownBy(work: Promise<unknown>): Promise<BridgeError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof BridgeError)) throw new Error(`expected a BridgeError, not ${String(thrown)}`);
  return thrown;
}
