import { DAY_MS } from '../core/clock.ts';
import { attribute, childrenNamed } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import { isCounted } from './calendar-store.ts';
import type { CalendarStore } from './calendar-store.ts';
import { ENTRY_STATUS, tile } from './status-row.ts';
import type { Status, Stretch } from './status-row.ts';
import type { Account, Accounts } from './zimbra-accounts.ts';
import type { TokenRank } from './zimbra-auth.ts';
import { ZimbraFault } from './zimbra-fault.ts';

/** Zimbra's element per status (zimbra.md §2.2). */
const ELEMENT: Readonly<Record<Status, string>> = { free: 'f', tentative: 't', busy: 'b', oof: 'u', 'no-data': 'n' };
const MAX_DAYS = 200;

/**
 * Answers a GetFreeBusyRequest: slots that tile the range, everybody by the string they were asked by, in no order that a
 * client may rely on: accounts that live here first, in hash order, then the others (zimbra.md §2.1, §2.2).
 *
 * @param asker undefined: somebody who may view nobody. A global administrator views everybody, whoever denies it (§2.4)
 * @throws ZimbraFault service.INVALID_REQUEST
 */
export function answerGetFreeBusy(request: XmlElement, calendars: CalendarStore, accounts: Accounts, asker: TokenRank | undefined): { readonly body: XmlText; readonly mailboxes: number } {
  const start = epoch(attribute(request, 's'), 's');
  const end = epoch(attribute(request, 'e'), 'e');
  if (end <= start) throw new ZimbraFault('service.INVALID_REQUEST', 'invalid request: End time must be after Start time');
  if (Math.floor((end - start) / DAY_MS) > MAX_DAYS) throw new ZimbraFault('service.INVALID_REQUEST', `invalid request: Requested range is too large (Maximum ${MAX_DAYS} days)`);
  const asked = askedNames(request);
  const accountOf = (name: string): Account | undefined => (name === name.trim() ? (accounts.byAddress(name) ?? accounts.byId(name)) : undefined);
  const isHere = (name: string): boolean => accountOf(name) !== undefined;
  const inOrder = [...asked.filter(isHere).sort((one, other) => javaHash(one) - javaHash(other)), ...asked.filter((name) => !isHere(name))];
  const users = inOrder.map((name) => {
    const account = accountOf(name);
    const mayView = asker === 'admin' || (asker === 'user' && account?.deniesFreeBusy !== true);
    const known: readonly Stretch[] = account !== undefined && mayView
      ? calendars.touching(account.address, start, end).filter(isCounted).map((entry) => ({ start: entry.start, end: entry.end, status: ENTRY_STATUS[entry.type] }))
      : [{ start, end, status: 'no-data' }];
    return xml`<usr id="${name}">${tile(known, start, end).map((slot) => xml`<${ELEMENT[slot.status]} s="${slot.start}" e="${slot.end}"/>`)}</usr>`;
  });
  return { body: xml`<GetFreeBusyResponse xmlns="urn:zimbraMail">${users}</GetFreeBusyResponse>`, mailboxes: asked.length };
}

/** From uid, id, name and usr elements, split at commas without trimming (zimbra.md §2.1); each once. */
function askedNames(request: XmlElement): readonly string[] {
  const lists = ['uid', 'id', 'name'].flatMap((name) => attribute(request, name)?.split(',') ?? []);
  const users = childrenNamed(request, 'usr').map((one) => attribute(one, 'name') ?? attribute(one, 'id') ?? '');
  return [...new Set([...lists, ...users])];
}

/** An attribute in epoch milliseconds. @throws ZimbraFault service.INVALID_REQUEST */
export function epoch(text: string | undefined, name: string): number {
  const value = Number(text || Number.NaN);
  if (!Number.isSafeInteger(value)) throw new ZimbraFault('service.INVALID_REQUEST', `invalid request: missing or invalid attribute: ${name}`);
  return value;
}

function javaHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = (hash * 31 + text.charCodeAt(index)) | 0;
  return hash;
}
