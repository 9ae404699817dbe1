import { attribute, child, childText } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import { readLdapFilter } from './ldap-filter.ts';
import type { Account, Accounts } from './zimbra-accounts.ts';
import { ZimbraFault } from './zimbra-fault.ts';
import type { WaitSets } from './zimbra-wait-sets.ts';

export interface ZimbraAdminContext {
  readonly accounts: Accounts;
  readonly waitSets: WaitSets;
  /** Where this server answers. */
  readonly host: string;
  readonly port: number;
  /** Whether Zimbra's own push to Exchange has the UserOrg that it needs (§4.1). */
  readonly isPushing: boolean;
  /** When the connection of the request is gone. */
  readonly gone: AbortSignal;
  /** Hears of every account that a WaitSet names in an answer. */
  readonly signalled: (account: Account, waitSet: string, seq: string) => void;
}

type Operation = (request: XmlElement, context: ZimbraAdminContext) => Promise<XmlText> | XmlText;

/** Operations of urn:zimbraAdmin that need the token of a global administrator (zimbra.md §5). */
export const ADMIN_OPERATIONS: Readonly<Record<string, Operation>> = {
  GetAllServersRequest(request, { host, port }) {
    const service = attribute(request, 'service');
    const server = xml`<server name="mail.zimbra.example" id="${SERVER_ID}"><a n="cn">mail.zimbra.example</a><a n="zimbraServiceHostname">${host}</a><a n="zimbraServiceEnabled">mailbox</a><a n="zimbraAdminPort">${port}</a></server>`;
    return xml`<GetAllServersResponse xmlns="urn:zimbraAdmin">${service === undefined || service === 'mailbox' ? [server] : []}</GetAllServersResponse>`;
  },
  AdminCreateWaitSetRequest(request, { waitSets }) {
    const types = needed(request, 'defTypes');
    // Exact case: `allaccounts` is no such attribute.
    const { id, seq } = waitSets.create(types, isTrue(attribute(request, 'allAccounts')));
    return xml`<AdminCreateWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="${id}" defTypes="${types}" seq="${seq}"/>`;
  },
  async AdminWaitSetRequest(request, { waitSets, accounts, gone, signalled }) {
    const id = needed(request, 'waitSet');
    const answer = await waitSets.poll({ id, seq: needed(request, 'seq'), defTypes: attribute(request, 'defTypes'), waitMs: waitMs(request), gone });
    if (answer.kind === 'canceled') return xml`<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="${id}" canceled="1"/>`;
    for (const one of answer.accounts) {
      const account = accounts.byId(one.id);
      if (account !== undefined && !gone.aborted) signalled(account, id, answer.seq);
    }
    return xml`<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="${id}" seq="${answer.seq}">${answer.accounts.map((one) => xml`<a id="${one.id}" changeid="${one.changeId}"/>`)}</AdminWaitSetResponse>`;
  },
  AdminDestroyWaitSetRequest(request, { waitSets }) {
    const id = needed(request, 'waitSet');
    waitSets.destroy(id);
    return xml`<AdminDestroyWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="${id}"/>`;
  },
  GetAccountRequest(request, { accounts }) {
    const wanted = child(request, 'account');
    const name = wanted?.text.trim() ?? '';
    const by = attribute(wanted, 'by');
    if (wanted === undefined || (by !== 'id' && by !== 'name')) throw new ZimbraFault('service.INVALID_REQUEST', 'invalid request: account by id or name');
    const account = by === 'id' ? accounts.byId(name) : accounts.byAddress(name);
    if (account === undefined) throw new ZimbraFault('account.NO_SUCH_ACCOUNT', `no such account: ${name}`);
    return xml`<GetAccountResponse xmlns="urn:zimbraAdmin">${accountElement(account, attribute(request, 'attrs'))}</GetAccountResponse>`;
  },
  SearchDirectoryRequest(request, { accounts }) {
    const types = (attribute(request, 'types') ?? 'accounts').split(',').map((one) => one.trim());
    const domain = attribute(request, 'domain')?.toLowerCase();
    const query = childText(request, 'query') ?? attribute(request, 'query') ?? '';
    const filter = readLdapFilter(query);
    if (filter === undefined) throw new ZimbraFault('service.INVALID_REQUEST', `invalid request: invalid search filter ${query}`);
    const [offset, limit] = [count(request, 'offset'), count(request, 'limit')];
    const found = accounts
      .all()
      .filter((one) => types.includes('accounts') && (domain === undefined || one.address.toLowerCase().endsWith(`@${domain}`)) && filter(one.attributes))
      .sort((one, other) => (one.address < other.address ? -1 : 1));
    // 0: no limit.
    const page = found.slice(offset, limit === 0 ? undefined : offset + limit);
    const more = offset + page.length < found.length ? 1 : 0;
    return xml`<SearchDirectoryResponse xmlns="urn:zimbraAdmin" num="${page.length}" more="${more}" searchTotal="${found.length}">${page.map((one) => accountElement(one, attribute(request, 'attrs')))}</SearchDirectoryResponse>`;
  },
  GetAllFreeBusyProvidersRequest() {
    // There wherever Zimbra asks somebody as "Exchange", as it asks the bridge; what it pushes needs a UserOrg too (§5.4, §4.8).
    return xml`<GetAllFreeBusyProvidersResponse xmlns="urn:zimbraAdmin"><provider name="EXCHANGE" propagate="1" start="-604800000" end="5184000000" queue="/opt/zimbra/fbqueue/queue-EXCHANGE" prefix="ad:"/></GetAllFreeBusyProvidersResponse>`;
  },
  GetConfigRequest(request, { isPushing }) {
    const name = attribute(child(request, 'a'), 'n');
    if (name === undefined) throw new ZimbraFault('service.INVALID_REQUEST', 'invalid request: missing required attribute: n');
    const values = name === 'zimbraFreebusyExchangeUserOrg' && isPushing ? ['/o=First Organization/ou=First Administrative Group'] : [];
    return xml`<GetConfigResponse xmlns="urn:zimbraAdmin">${values.map((value) => xml`<a n="${name}">${value}</a>`)}</GetConfigResponse>`;
  },
};

const SERVER_ID = '3c1f0b4e-7f0a-4a52-9d1c-5a0f7f6f2d11';

/** @param attrs comma list; absent: all of them */
function accountElement(account: Account, attrs: string | undefined): XmlText {
  const wanted = attrs?.split(',').map((one) => one.trim());
  const attributes = Object.entries(account.attributes).filter(([name]) => wanted === undefined || wanted.includes(name));
  return xml`<account id="${account.id}" name="${account.address}">${attributes.map(([name, value]) => xml`<a n="${name}">${value}</a>`)}</account>`;
}

function needed(request: XmlElement, name: string): string {
  const value = attribute(request, name);
  if (value === undefined || value === '') throw new ZimbraFault('service.INVALID_REQUEST', `invalid request: missing required attribute: ${name}`);
  return value;
}

function isTrue(value: string | undefined): boolean {
  return value === '1' || value?.toLowerCase() === 'true';
}

function count(request: XmlElement, name: string): number {
  const text = attribute(request, name) ?? '0';
  if (!/^\d{1,9}$/.test(text)) throw new ZimbraFault('service.INVALID_REQUEST', `invalid request: invalid value for ${name}`);
  return Number(text);
}

/** Seconds, cut to what an administrator may ask: 0 to 3600, default 300 (zimbra.md §5.2). */
function waitMs(request: XmlElement): number {
  const text = attribute(request, 'timeout') ?? '300';
  if (!/^\d{1,9}$/.test(text)) throw new ZimbraFault('service.INVALID_REQUEST', 'invalid request: invalid value for timeout');
  return isTrue(attribute(request, 'block')) ? Math.min(3_600, Number(text)) * 1_000 : 0;
}
