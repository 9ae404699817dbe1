import { BridgeError } from '../../../core/errors.ts';
import { parseMailboxAddress } from '../../../directory/smtp-address.ts';
import { ZIMBRA_ACCOUNT_NS } from '../names.ts';
import type { AnswerElement } from './answer.ts';
import { galFor, requestedNumber, spendCharacters } from './gal-request.ts';
import { member } from './member.ts';
import type { FaceOperation } from './operation.ts';

/**
 * GetDistributionListMembersRequest (GetDistributionListMembers.java): addresses of those members whom the address book knows and shows, in its order, lists within the list as they are.
 * `limit` 0 or none is all of them.
 */
export const getDistributionListMembers: FaceOperation = {
  name: 'GetDistributionListMembersRequest',
  ns: ZIMBRA_ACCOUNT_NS,
  ready: (request) => {
    const list = member(request, 'dl')?.trim() ?? '';
    if (list === '') throw new BridgeError('INVALID_REQUEST', 'missing required element: dl');
    const offset = requestedNumber(request, 'offset') ?? 0;
    const limit = requestedNumber(request, 'limit') || Number.POSITIVE_INFINITY;
    return {
      users: [],
      run: async ({ directory, allowance, ctx: { requester } }) => {
        const gal = galFor(directory, requester);
        const address = parseMailboxAddress(list);
        const group = address === undefined ? undefined : gal.resolve(address, requester);
        // A person is as little of a list as somebody unknown.
        if (group?.kind !== 'group') throw new BridgeError('NOT_FOUND', `no such distribution list: ${list.slice(0, 254)}`);
        const members = gal.membersOf(group, requester);
        if (offset > 0 && offset >= members.length) throw new BridgeError('INVALID_REQUEST', `offset ${offset} greater than size ${members.length}`);
        const shown = members.slice(offset, offset + limit);
        spendCharacters(allowance, shown.reduce((sum, one) => sum + one.address.length, 0));
        return {
          name: 'GetDistributionListMembersResponse',
          ns: ZIMBRA_ACCOUNT_NS,
          attributes: { more: offset + shown.length < members.length, total: members.length },
          parts: shown.map((one): AnswerElement => ({ name: 'dlm', text: one.address })),
        };
      },
    };
  },
};
