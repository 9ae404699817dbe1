import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { DirectoryPage } from '../../../directory/directory.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { ZIMBRA_MAIL_NS } from '../names.ts';
import type { AnswerElement } from './answer.ts';
import { maySearch, requestedKinds, searchedName } from './gal-request.ts';
import { flag, member } from './member.ts';
import type { FaceOperation } from './operation.ts';

const NOBODY: DirectoryPage = { entries: [], more: false };

/**
 * AutoCompleteRequest (zimbra.md §6.1; AutoComplete.java): what a web client asks while somebody types into the To line. Here are no folders of contacts and no table
 * of those whom the user wrote to, so every match is of the address book and in its own order, best first. A client that may not search it is told of nobody, not refused.
 */
export const autoComplete: FaceOperation = {
  name: 'AutoCompleteRequest',
  ns: ZIMBRA_MAIL_NS,
  ready: (request) => {
    const name = member(request, 'name');
    if (name === undefined) throw new BridgeError('INVALID_REQUEST', 'missing required attribute: name');
    const words = name.replaceAll(',', ' ').trim();
    if (words === '') throw new BridgeError('INVALID_REQUEST', 'name parameter is empty');
    const text = searchedName(words);
    const kinds = requestedKinds(request, 't', 'account');
    const wantsGal = member(request, 'includeGal') === undefined || flag(request, 'includeGal');
    const needExp = flag(request, 'needExp');
    return {
      users: [],
      run: async ({ directory, ctx: { requester } }) => {
        const query = { text, limit: LIMITS.zimbraAutoCompleteResults, ...(kinds === undefined ? {} : { kinds }) };
        const { entries, more } = wantsGal && maySearch(directory, requester) ? directory.search(query, requester) : NOBODY;
        return { name: 'AutoCompleteResponse', ns: ZIMBRA_MAIL_NS, attributes: { canBeCached: !more }, parts: entries.map((entry) => match(entry, needExp)) };
      },
    };
  },
};

function match({ name, address, kind, givenName, surname, nickname, company }: DirectoryEntry, needExp: boolean): AnswerElement {
  const isGroup = kind === 'group';
  const names = { first: givenName, last: surname, full: name, nick: nickname, company };
  return { name: 'match', attributes: { email: `"${quoted(name)}" <${address}>`, type: 'gal', ranking: '0', isGroup, exp: isGroup && needExp ? true : undefined, ...names } };
}

/** RFC 5322 §3.2.4. Zimbra puts the name between its quotes as it is; then a name with a quote in it could bring an address of its own. */
function quoted(name: string): string {
  return name.replace(/\p{Cc}+/gu, ' ').replace(/["\\]/g, '\\$&');
}
