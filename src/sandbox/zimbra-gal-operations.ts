import { attribute, childText } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import { ZimbraFault } from './zimbra-fault.ts';
import type { Gal, GalItem } from './zimbra-gal.ts';

/** Operations of urn:zimbraAccount about the address book, for whoever has a token (zimbra.md §6.1). */
export const GAL_OPERATIONS: Readonly<Record<string, (request: XmlElement, gal: Gal) => XmlText>> = {
  SyncGalRequest(request, gal) {
    if (!gal.maySearch || !gal.maySync) throw new ZimbraFault('service.PERM_DENIED', 'permission denied: GAL feature (zimbraFeatureGalSyncEnabled) is not enabled');
    const token = attribute(request, 'token') ?? '';
    if (gal.throttledAnswers > 0) {
      gal.throttledAnswers -= 1;
      return xml`<SyncGalResponse xmlns="urn:zimbraAccount" token="${token}" throttled="1"/>`;
    }
    const since = changeOf(token, gal.accountId);
    const limit = numberOf(request, 'limit') || 30_000;
    const changed = gal.items().filter((one) => one.changeId > since);
    const page = changed.slice(0, limit);
    // As the real server: a page that is full has another behind it, if an empty one.
    const more = page.length === limit;
    const gone = more || since === 0 ? { itemIds: [], changeId: since } : gal.goneSince(since);
    const last = Math.max(page.at(-1)?.changeId ?? since, gone.changeId);
    const recommended = gal.recommendsFullSync ? xml` fullSyncRecommended="1"` : xml``;
    const entries = page.map((item) => (attribute(request, 'idOnly') === '1' ? xml`<cn id="${gal.accountId}:${item.itemId}" ref="${item.dn}"/>` : contact(item, gal)));
    const deleted = gone.itemIds.map((id) => xml`<deleted id="${gal.accountId}:${id}"/>`);
    return xml`<SyncGalResponse xmlns="urn:zimbraAccount" token="${gal.timestamp()}:${gal.accountId}:${last}" more="${more ? 1 : 0}"${recommended}>${entries}${deleted}</SyncGalResponse>`;
  },
  SearchGalRequest(request, gal) {
    if (!gal.maySearch) throw new ZimbraFault('service.PERM_DENIED', 'permission denied: GAL feature (zimbraFeatureGalEnabled) is not enabled');
    const name = nameOf(request);
    if (name === undefined) throw new ZimbraFault('service.INVALID_REQUEST', 'invalid request: missing one of the required attributes: ref, query or name');
    const key = name === '.' ? '' : name.replace(/^\*+|\*+$/g, '').toLowerCase();
    const found = gal.items().filter((one) => isOfType(one, attribute(request, 'type') ?? 'all') && wordsOf(one).some((word) => word.includes(key)));
    return answer('SearchGalResponse', found, Math.min(numberOf(request, 'limit') || 100, gal.maxResults), gal, gal.hasPages ? numberOf(request, 'offset') : 0);
  },
  AutoCompleteGalRequest(request, gal) {
    if (!gal.maySearch) throw new ZimbraFault('service.PERM_DENIED', 'permission denied: GAL feature (zimbraFeatureGalAutoCompleteEnabled) is not enabled');
    const name = nameOf(request);
    if (name === undefined) throw new ZimbraFault('service.INVALID_REQUEST', 'invalid request: missing required attribute: name');
    const key = name.replace(/\*+$/, '').toLowerCase();
    const found = gal.items().filter((one) => isOfType(one, attribute(request, 'type') ?? 'account') && wordsOf(one).some((word) => word.startsWith(key) || word.includes(` ${key}`)));
    return answer('AutoCompleteGalResponse', found, 20, gal);
  },
};

function answer(name: 'SearchGalResponse' | 'AutoCompleteGalResponse', found: readonly GalItem[], limit: number, gal: Gal, offset = 0): XmlText {
  const page = found.slice(offset, offset + limit).map((item) => contact(item, gal));
  const more = found.length > offset + limit ? 1 : 0;
  if (name === 'AutoCompleteGalResponse') return xml`<AutoCompleteGalResponse xmlns="urn:zimbraAccount" more="${more}" tokenizeKey="1">${page}</AutoCompleteGalResponse>`;
  return xml`<SearchGalResponse xmlns="urn:zimbraAccount" more="${more}" sortBy="nameAsc" offset="${offset}" paginationSupported="${gal.hasPages ? 1 : 0}">${page}</SearchGalResponse>`;
}

function contact({ itemId, dn, attributes }: GalItem, { accountId }: Gal): XmlText {
  const pairs = Object.entries(attributes).flatMap(([name, values]) => (typeof values === 'string' ? [values] : values).map((value) => xml`<a n="${name}">${value}</a>`));
  return xml`<cn id="${accountId}:${itemId}" l="257" ref="${dn}">${pairs}</cn>`;
}

function nameOf(request: XmlElement): string | undefined {
  return attribute(request, 'name') ?? childText(request, 'name');
}

function isOfType({ attributes }: GalItem, type: string): boolean {
  const isResource = attributes['zimbraAccountCalendarUserType'] === 'RESOURCE';
  if (type === 'account') return !isResource;
  if (type === 'resource') return isResource;
  return type === 'all' || attributes['type'] === 'group';
}

function wordsOf({ attributes }: GalItem): readonly string[] {
  return Object.entries(attributes).flatMap(([name, value]) => (/^(?:email\d*|fullName|firstName|lastName)$/.test(name) && typeof value === 'string' ? [value.toLowerCase()] : []));
}

/** `timestamp:accountId:changeId…`; another account's means nothing (GalSyncToken.java, getChangeId). */
function changeOf(token: string, accountId: string): number {
  const parts = token.split(':');
  const at = parts.indexOf(accountId);
  return at === -1 ? 0 : Number(parts[at + 1] ?? 0);
}

function numberOf(request: XmlElement, name: string): number {
  const text = attribute(request, name) ?? '0';
  if (!/^-?\d{1,9}$/.test(text)) throw new ZimbraFault('service.INVALID_REQUEST', `invalid request: invalid value for attribute: ${name}`);
  return Math.max(0, Number(text));
}
