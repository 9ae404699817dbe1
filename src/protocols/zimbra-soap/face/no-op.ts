import { ZIMBRA_MAIL_NS } from '../names.ts';
import { flag } from './member.ts';
import type { FaceOperation } from './operation.ts';

/**
 * NoOpRequest: answered at once. A client that wants its request held until something happens (`wait`) is told that this is not done
 * here, as a Zimbra tells one that asks too often (`waitDisallowed`): it then asks at its own pace.
 */
export const noOp: FaceOperation = {
  name: 'NoOpRequest',
  ns: ZIMBRA_MAIL_NS,
  ready: (request) => {
    const attributes = flag(request, 'wait') ? { waitDisallowed: true } : {};
    return { users: [], run: async () => ({ name: 'NoOpResponse', ns: ZIMBRA_MAIL_NS, attributes }) };
  },
};
