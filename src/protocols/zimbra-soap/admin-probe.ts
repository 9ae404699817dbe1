import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError, ErrorCode } from '../../core/errors.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { isRefused } from './account-lookup.ts';
import type { ZimbraRoster } from './accounts.ts';
import type { ZimbraAdmin } from './admin-client.ts';
import { mailStoresAt } from './change-feed.ts';
import {
  decodeGetAllFreeBusyProvidersResponse,
  decodeGetConfigResponse,
  encodeGetAllFreeBusyProvidersRequest,
  encodeGetConfigRequest,
} from './free-busy-providers.ts';
import type { MailStores } from './mail-stores.ts';
import { decodeCreateWaitSetResponse, encodeCreateWaitSetRequest, encodeDestroyWaitSetRequest } from './wait-set.ts';

interface AdminProbe {
  readonly admin: ZimbraAdmin;
  readonly roster: ZimbraRoster;
}

/** What replication from a Zimbra needs of its administrator's account; one finding a thing, the first failure of the sign-in ends it. */
export async function probeZimbraHome({ admin, roster }: AdminProbe, signal: AbortSignal): Promise<readonly ProbeFinding[]> {
  try {
    await admin.signIn(signal);
  } catch (thrown) {
    return [failure('admin sign-in', toBridgeError(thrown))];
  }
  const { findings, stores } = await storeFindings(admin, signal);
  return [
    { step: 'admin sign-in', outcome: 'ok', text: 'the administrator got a token' },
    ...findings,
    ...(await Promise.all(stores.map(async (at) => waitSetFinding(admin, at, signal)))),
    await accountsFinding(roster, signal),
    await pushFinding(admin, signal),
  ];
}

async function storeFindings(admin: ZimbraAdmin, signal: AbortSignal): Promise<{ readonly findings: readonly ProbeFinding[]; readonly stores: readonly URL[] }> {
  let stores: MailStores;
  try {
    stores = await mailStoresAt(admin, signal);
  } catch (thrown) {
    const error = toBridgeError(thrown);
    const advice = 'fine with one mail store; with several, let the administrator list servers (zmprov gas)';
    const seen = isRefused(error) ? { step: 'mail stores', outcome: 'warn' as const, text: 'the administrator may not list them: only adminUrl is watched', advice } : failure('mail stores', error);
    return { findings: [seen], stores: [admin.endpoint] };
  }
  const watched = stores.watched.map(({ host }) => host).join(', ');
  const ok: ProbeFinding = { step: 'mail stores', outcome: 'ok', text: `watched: ${watched}` };
  const missing = stores.unlisted.map((host): ProbeFinding => ({
    step: 'mail stores',
    outcome: 'fail',
    text: `changes on ${host} are not heard: the administrator's token is sent to no host that the configuration does not name`,
    advice: `list ${host} under hosts of this system`,
  }));
  return { findings: [ok, ...missing], stores: stores.watched };
}

async function waitSetFinding(admin: ZimbraAdmin, at: URL, signal: AbortSignal): Promise<ProbeFinding> {
  const step = 'WaitSet right';
  try {
    const { waitSet } = decodeCreateWaitSetResponse(await admin.call(encodeCreateWaitSetRequest(), signal, at));
    await admin.call(encodeDestroyWaitSetRequest(waitSet), signal, at);
    return { step, outcome: 'ok', text: `changes of every mailbox on ${at.host} can be heard` };
  } catch (thrown) {
    const error = toBridgeError(thrown);
    if (!isRefused(error)) return failure(step, error, ` at ${at.host}`);
    const advice = 'a set over all accounts needs a global administrator: zmprov ma {account} zimbraIsAdminAccount TRUE';
    return { step, outcome: 'fail', text: `the administrator may not hear of all mailboxes on ${at.host}`, advice };
  }
}

async function accountsFinding(roster: ZimbraRoster, signal: AbortSignal): Promise<ProbeFinding> {
  const step = 'accounts';
  let people = 0;
  let withPrincipal = 0;
  let others = 0;
  let atLeast = '';
  try {
    for await (const page of roster.all(signal)) {
      for (const { isSystem, foreignPrincipal } of page) {
        if (isSystem) others += 1;
        else people += 1;
        if (!isSystem && foreignPrincipal !== undefined) withPrincipal += 1;
      }
    }
  } catch (thrown) {
    const error = toBridgeError(thrown);
    if (error.code !== 'DEADLINE' || people === 0) return failure(step, error);
    atLeast = 'at least ';
  }
  const text = `${atLeast}${people} mailboxes, ${withPrincipal} with a zimbraForeignPrincipal ad:…, and ${others} of the system or elsewhere`;
  if (people === 0) return { step, outcome: 'warn', text, advice: 'check domains of this system, and whether the administrator may see its accounts' };
  if (withPrincipal > 0) return { step, outcome: 'ok', text };
  const advice = 'nobody is replicated by default: set zimbraForeignPrincipal ad:{last cn of the legacyExchangeDN} (zmprov ma), or mailboxes: { only: all }';
  return { step, outcome: 'warn', text, advice };
}

const USER_ORG = 'zimbraFreebusyExchangeUserOrg';
const SERVER_TYPE = 'zimbraFreebusyExchangeServerType';

/** Zimbra pushes only with a UserOrg, and looks up without one (zimbra.md §4.1, ExchangeFreeBusyProvider.handleMailboxChange). */
async function pushFinding(admin: ZimbraAdmin, signal: AbortSignal): Promise<ProbeFinding> {
  const step = 'native provider';
  const advice = `zmprov mcf ${USER_ORG} ''  (ends the push and leaves look-ups; the same with md, mc and ma where a domain, COS or account sets it)`;
  try {
    const providers = decodeGetAllFreeBusyProvidersResponse(await admin.call(encodeGetAllFreeBusyProvidersRequest(), signal));
    const type = (await configOf(admin, SERVER_TYPE, signal))?.[0];
    // The EWS one is not in the list.
    if (!providers.some(({ propagates }) => propagates) && type !== 'ews') return { step, outcome: 'ok', text: 'Zimbra does not push by itself' };
    if ((await configOf(admin, USER_ORG, signal))?.length === 0) {
      return { step, outcome: 'ok', text: `Zimbra looks up but does not push: no ${USER_ORG} in the global configuration` };
    }
    return { step, outcome: 'warn', text: `the native provider still pushes (${type ?? 'webdav'}): it and the bridge would write the same messages`, advice };
  } catch (thrown) {
    return { step, outcome: 'warn', text: `whether Zimbra pushes by itself cannot be seen (${toBridgeError(thrown).code})`, advice };
  }
}

/** Undefined where the administrator may not see it. */
async function configOf(admin: ZimbraAdmin, name: string, signal: AbortSignal): Promise<readonly string[] | undefined> {
  try {
    return decodeGetConfigResponse(await admin.call(encodeGetConfigRequest(name), signal), name);
  } catch (error) {
    if (isRefused(error)) return undefined;
    throw error;
  }
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  BACKEND_AUTH: 'check admin.username and admin.password; the account must be an active administrator without a second factor',
  BACKEND_UNREACHABLE: 'check adminUrl (port 7071, or 9071 behind the proxy) and the firewall',
  BACKEND_TLS: 'name the authority of its certificate under tls.ca',
  BACKEND_REDIRECT: 'give the URL it leads to, or list its host under hosts',
  BACKEND_MALFORMED: 'adminUrl must be the root of the admin port, without /service/admin/soap',
  BACKEND_FAULT: 'see mailbox.log of the server',
  BACKEND_BUSY: 'try again later; see zimbraHttpThrottleSafeIPs',
  DEADLINE: 'the server accepts and stays silent: check what stands before it',
};

function failure(step: string, error: BridgeError, where = ''): ProbeFinding {
  const said = error.details['fault'] ?? error.details['target'] ?? error.details['attribute'] ?? error.details['status'];
  const text = `${error.code}${where}: ${error.publicMessage}${said === undefined ? '' : ` (${String(said)})`}`;
  return { step, outcome: 'fail', text, advice: ADVICE[error.code] ?? 'see the log of the server' };
}
