import { isLoopback } from '../../core/loopback.ts';
import { randomBytes } from 'node:crypto';
import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError } from '../../core/errors.ts';
import { silentLogger } from '../../core/logger.ts';
import type { Clock } from '../../core/clock.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { askAsUser, missingPrivilege } from './as-user.ts';
import { ComponentClient } from './component-client.ts';
import type { ComponentAccount } from './component-stream.ts';
import { PUBSUB_NS } from './names.ts';
import type { Privileges } from './privilege.ts';
import { prosodyConfigurationLines } from './prosody-configuration.ts';
import { encodeRetract } from './pubsub.ts';

/**
 * Connects, shakes hands, looks at what every host grants, and takes something away from somebody who does not exist, which must be refused; never throws.
 *
 * @param connected the publisher's own connection, where it has one: servers let a component in once
 */
export async function probeComponent(account: ComponentAccount & { readonly clock: Clock }, connected: ComponentClient | undefined, signal: AbortSignal): Promise<readonly ProbeFinding[]> {
  const where = `${account.server.host}:${account.server.port}`;
  const client = connected ?? new ComponentClient({ ...account, label: where, logger: silentLogger });
  client.start(() => undefined);
  try {
    const hosts = await client.hosts(signal);
    const findings: ProbeFinding[] = [connectionFinding(account.server, where), { step: 'sign-in', outcome: 'ok', text: `the XMPP server takes us for ${account.component}` }];
    findings.push(...(hosts.size === 0 ? [nothingGranted(account.component)] : []));
    for (const [host, privileges] of hosts) findings.push(...(await hostFindings(client, account.component, host, privileges, signal)));
    return findings;
  } catch (thrown) {
    return failures(toBridgeError(thrown), account.server, where);
  } finally {
    if (client !== connected) await client.close();
  }
}

function connectionFinding({ host }: ComponentAccount['server'], where: string): ProbeFinding {
  const step = 'connection';
  if (isLoopback(host.toLowerCase())) return { step, outcome: 'ok', text: `${where} answers` };
  return { step, outcome: 'warn', text: `${where} answers, without TLS: who is in a meeting can be read, and said, on the way`, advice: 'run the bridge beside the XMPP server, or lead a tunnel there (XEP-0114 knows no TLS)' };
}

function failures(error: BridgeError, server: ComponentAccount['server'], where: string): readonly ProbeFinding[] {
  const { reason, fault, advice } = error.details;
  const text = [error.publicMessage, ...[reason, fault].filter((one) => one !== undefined)].map(String).join(': ');
  if (error.code === 'BACKEND_BUSY') {
    // Prosody looks at the secret first.
    const open: ProbeFinding = { step: 'sign-in', outcome: 'warn', text: 'the component is connected already, so that its rights cannot be looked at', advice: 'where that is not the running bridge, only one may be this component' };
    return [connectionFinding(server, where), open];
  }
  if (error.code === 'BACKEND_AUTH') return [connectionFinding(server, where), { step: 'sign-in', outcome: 'fail', text, advice: String(advice) }];
  return [{ step: 'connection', outcome: 'fail', text: `${where}: ${text}`, advice: typeof advice === 'string' ? advice : 'check server, and whether the XMPP server listens for components there (Prosody: component_ports, component_interfaces)' }];
}

function nothingGranted(component: string): ProbeFinding {
  const lines = prosodyConfigurationLines(component, 'DOMAIN').filter((line) => line !== '' && !line.startsWith('--'));
  return { step: 'right to publish', outcome: 'fail', text: 'no host of the XMPP server tells of any privilege', advice: `for every domain, in Prosody: ${lines.map((line) => line.trim()).join(' ')}` };
}

async function hostFindings(client: ComponentClient, component: string, host: string, privileges: Privileges, signal: AbortSignal): Promise<readonly ProbeFinding[]> {
  const granted = privileges.iq.get(PUBSUB_NS);
  const refused = (['set', 'get'] as const).filter((type) => granted?.has(type) !== true).map((type) => [type, missingPrivilege(type, privileges, component, host)] as const);
  const rights = refused.map(([type, error]): ProbeFinding => ({
    step: type === 'set' ? 'right to publish' : 'right to read',
    outcome: type === 'set' ? 'fail' : 'warn',
    text: type === 'set' ? error.publicMessage : `users’ activities of ${host} cannot be read back, which only the canary needs`,
    advice: String(error.details['advice']),
  }));
  if (granted?.has('set') !== true) return rights.filter(({ outcome }) => outcome === 'fail');
  return [{ step: 'right to publish', outcome: 'ok', text: `activities may be published for users of ${host}` }, ...rights, await strangerFinding(client, component, host, signal)];
}

/** Nothing is published: were there such a user, an item that is not there would be taken away. */
async function strangerFinding(client: ComponentClient, component: string, host: string, signal: AbortSignal): Promise<ProbeFinding> {
  const step = 'unknown user';
  const jid = `nobody-${randomBytes(6).toString('hex')}@${host}`;
  try {
    await askAsUser(client, { component, jid, type: 'set' }, encodeRetract(), signal);
  } catch (thrown) {
    const error = toBridgeError(thrown);
    if (error.code === 'MAILBOX_UNKNOWN') return { step, outcome: 'ok', text: `somebody made up at ${host} is refused, as it must be` };
    return { step, outcome: 'fail', text: `somebody made up at ${host}: ${error.publicMessage}`, advice: 'see the log of the XMPP server' };
  }
  return { step, outcome: 'warn', text: `${host} takes activities of somebody made up, so that a misspelled address is never noticed`, advice: 'compare mail addresses and JIDs' };
}
