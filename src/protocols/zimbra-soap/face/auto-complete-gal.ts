import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { ZIMBRA_ACCOUNT_NS } from '../names.ts';
import { galFor, requestedKinds, requestedNumber, searchedName } from './gal-request.ts';
import { member } from './member.ts';
import type { FaceOperation } from './operation.ts';
import { foundContact, requestedGroupFlags } from './search-gal.ts';

/** AutoCompleteGalRequest (zimbra.md §6.1; AutoCompleteGal.java): best first, 20 at most; no letters, nobody. */
export const autoCompleteGal: FaceOperation = {
  name: 'AutoCompleteGalRequest',
  ns: ZIMBRA_ACCOUNT_NS,
  ready: (request) => {
    const name = member(request, 'name');
    if (name === undefined) throw new BridgeError('INVALID_REQUEST', 'missing required attribute: name');
    const text = searchedName(name);
    const kinds = requestedKinds(request, 'type', 'account');
    const limit = Math.min(requestedNumber(request, 'limit') || LIMITS.zimbraAutoCompleteResults, LIMITS.zimbraAutoCompleteResults);
    const { exp } = requestedGroupFlags(request);
    return {
      users: [],
      run: async (asking) => {
        const { directory, ctx: { requester } } = asking;
        const { entries, more } = galFor(directory, requester).search({ text, limit, ...(kinds === undefined ? {} : { kinds }) }, requester);
        const parts = entries.map((entry) => foundContact(entry, exp === undefined ? {} : { exp }, asking));
        return { name: 'AutoCompleteGalResponse', ns: ZIMBRA_ACCOUNT_NS, attributes: { more, tokenizeKey: true }, parts };
      },
    };
  },
};
