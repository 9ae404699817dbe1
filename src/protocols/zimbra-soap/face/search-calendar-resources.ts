import { ZIMBRA_ACCOUNT_NS } from '../names.ts';
import { member } from './member.ts';
import type { FaceOperation } from './operation.ts';

/** SearchCalendarResourcesRequest: there is no directory yet, so no room and no equipment, in the shape of a GAL search (zimbra.md §6.1). */
export const searchCalendarResources: FaceOperation = {
  name: 'SearchCalendarResourcesRequest',
  ns: ZIMBRA_ACCOUNT_NS,
  ready: (request) => {
    const offset = member(request, 'offset');
    const attributes = {
      more: false,
      sortBy: member(request, 'sortBy') ?? 'nameAsc',
      offset: offset !== undefined && /^\d{1,9}$/.test(offset) ? Number(offset) : 0,
    };
    return { users: [], run: async () => ({ name: 'SearchCalendarResourcesResponse', ns: ZIMBRA_ACCOUNT_NS, attributes }) };
  },
};
