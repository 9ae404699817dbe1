import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError } from '../../core/errors.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { probeNetwork } from '../../platform/network-probe.ts';
import { setPresenceArguments } from './api-connection.ts';
import type { EjabberdApi, EjabberdApiOptions } from './api-connection.ts';
import { faultOf } from './faults.ts';
import { COMMANDS } from './names.ts';
import type { Command } from './names.ts';

/** Nobody's account: RFC 6761 gives the domain to nobody. */
const NOBODY = { user: 'freebusy-bridge-check', host: 'invalid' } as const;

/** Calls that change nothing, whatever the server does with them. */
const HARMLESS: Readonly<Record<Command, Readonly<Record<string, string | number>>>> = {
  check_account: NOBODY,
  user_sessions_info: NOBODY,
  set_presence: setPresenceArguments(NOBODY, { resource: 'check', show: 'available', status: '', priority: 0 }, false),
  // No stanza: it is refused after the rights were looked at.
  send_stanza: { from: 'check@invalid', to: 'check@invalid', stanza: '<' },
};

/** With these a command was let through and found nothing to do: 400 and 500 are what `<` and a session that is not there are answered. */
const LET_THROUGH: ReadonlySet<number> = new Set([200, 400, 500]);

/** Walks to the server, signs in and tries the right to every command, without changing anything. */
export async function probeEjabberd(api: EjabberdApi, { url, ca, username }: EjabberdApiOptions, signal: AbortSignal): Promise<readonly ProbeFinding[]> {
  const way = await probeNetwork(url, { ca });
  if (way.some((one) => one.outcome === 'fail')) return way;
  const faults: (readonly [Command, BridgeError])[] = [];
  for (const command of COMMANDS) {
    const fault = await faultIn(api, command, signal);
    if (fault === undefined) continue;
    faults.push([command, fault]);
    // What is not about one command is the same for the next.
    if (fault.code !== 'BACKEND_AUTH' || fault.details['status'] === 401) break;
  }
  return [...way, ...findingsOf(faults, username)];
}

async function faultIn(api: EjabberdApi, command: Command, signal: AbortSignal): Promise<BridgeError | undefined> {
  try {
    const { status, retryAfterMs } = await api.call(command, HARMLESS[command], signal);
    return LET_THROUGH.has(status) ? undefined : faultOf(command, status, retryAfterMs);
  } catch (error) {
    return toBridgeError(error);
  }
}

function findingsOf(faults: readonly (readonly [Command, BridgeError])[], username: string | undefined): readonly ProbeFinding[] {
  const missing = faults.filter(([, { details }]) => details['status'] === 403).map(([command]) => command);
  const other = faults.find(([, { details }]) => details['status'] !== 403)?.[1];
  if (other !== undefined) {
    const step = other.code === 'BACKEND_AUTH' ? 'sign-in' : 'API';
    return [{ step, outcome: 'fail', text: `${other.code}: ${other.publicMessage}`, advice: other.code === 'BACKEND_AUTH' ? 'check username (a full JID) and password' : 'see ejabberd.log, and whether mod_http_api stands at this path' }];
  }
  const who = username ?? 'our address';
  if (missing.length > 0) {
    return [{ step: 'rights', outcome: 'fail', text: `${who} may not call ${missing.join(', ')}`, advice: `grant it in api_permissions: what: [${COMMANDS.join(', ')}]` }];
  }
  return [
    { step: 'rights', outcome: 'ok', text: `${who} may call ${COMMANDS.join(', ')}` },
    { step: 'activity', outcome: 'ok', text: 'not tried: whether mod_pubsub with its plugin pep is loaded cannot be asked for; a contact who sees the activity shows it' },
  ];
}
