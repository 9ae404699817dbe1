import { LIMITS } from '../../core/limits.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { formDecode } from '../../platform/http-server/raw-query.ts';
import type { RawParameter } from '../../platform/http-server/raw-query.ts';
import type { PresenceChange } from '../../presence/presence.ts';
import type { PresenceEvent } from '../../presence/presence-service.ts';
import { encodeDetailedPresence } from './get-presence.ts';
import { BridgeError } from '../../core/errors.ts';

/** What a watcher wants of the stream. */
export interface EventsQuestion {
  /** The last event that it has seen; undefined: it begins. */
  readonly after: string | undefined;
  /** Only these; undefined: everybody who has opted in. */
  readonly addresses: readonly MailboxAddress[] | undefined;
  /** First everybody as they are now. */
  readonly wantsSnapshot: boolean;
}

/**
 * `address` (repeatable), `lastEventId` (for EventSource in place of the header, which it cannot set on a first request), `snapshot=true`.
 * An address that can name no mailbox is one that nothing happens to.
 *
 * @throws BridgeError TOO_MANY_MAILBOXES
 */
export function decodeEventsQuestion(parameters: readonly RawParameter[], header: string | undefined): EventsQuestion {
  const values = (name: string): readonly string[] => parameters.filter((one) => one.name === name).map(({ value }) => formDecode(value));
  const addresses = values('address');
  if (addresses.length > LIMITS.mailboxesPerQuestion) throw new BridgeError('TOO_MANY_MAILBOXES', `${addresses.length} addresses; at most ${LIMITS.mailboxesPerQuestion} go into one request`);
  const after = header ?? values('lasteventid')[0];
  return {
    after: after === undefined || after === '' ? undefined : after.slice(0, LIMITS.presenceEventIdCharacters),
    addresses: addresses.length === 0 ? undefined : addresses.flatMap((text) => parseMailboxAddress(text) ?? []),
    wantsSnapshot: values('snapshot')[0] === 'true',
  };
}

const texts = new WeakMap<PresenceEvent, string>();

/** One change as it goes to every watcher; made once. */
export function encodeEvent(event: PresenceEvent): string {
  let text = texts.get(event);
  if (text === undefined) texts.set(event, (text = `id: ${event.id}\n${encodeChange(event)}`));
  return text;
}

/** The same without an id: part of a snapshot, which nobody can take up in its middle. JSON has no line break in it. */
export function encodeChange({ mailbox, shown }: PresenceChange): string {
  if (shown === undefined) return `event: withdrawn\ndata: ${JSON.stringify({ address: mailbox })}\n\n`;
  return `event: presence\ndata: ${JSON.stringify(encodeDetailedPresence(mailbox, shown))}\n\n`;
}

/** Whoever comes back with this id is told everything anew: he had seen no event when he went. An id alone is no event (HTML Living Standard §9.2.6). */
export const BEGINNING = `retry: ${LIMITS.presenceRetryMs}\nid: new\n\n`;
/** What was missed cannot be told one by one: forget what you know, a snapshot follows. It keeps the old id, so that one that is cut short begins again. */
export const RESET = 'event: reset\ndata: {}\n\n';
export const KEEP_ALIVE = ': still here\n\n';
