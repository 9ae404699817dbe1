import { toBridgeError } from '../../core/errors.ts';
import type { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { hostAddresses } from '../../platform/host-addresses.ts';
import { codeOf } from '../../platform/http-client/connection-error.ts';
import { probeNetwork } from '../../platform/network-probe.ts';
import { SipClient } from './client.ts';
import type { SipClientOptions } from './client.ts';
import { responseFailure } from './faults.ts';
import type { SipResponse } from './message.ts';
import { publishQuestion } from './publish-request.ts';
import { hostText, sipUri } from './sip-uri.ts';

/** Nobody has this address. */
const NOBODY = 'freebusy-bridge-probe';
/** No server has given this tag: 412 is the right answer (RFC 3903 §6), and nothing is published. It looks like Kamailio's own, which answers any other with 500 (5.6). */
const NO_TAG = 'freebusy-bridge.0.0.0.0';

/** Name, port and certificate, then sign-in and whether presence is handled: a refresh of a publication that does not exist. Never throws. */
export async function probePresenceServer(options: SipClientOptions & { readonly expiresMs: number; readonly domain?: string | undefined }, signal: AbortSignal): Promise<readonly ProbeFinding[]> {
  const network = await networkFindings(options);
  if (network.some((one) => one.outcome === 'fail')) return network;
  const client = new SipClient(options);
  try {
    const uri = sipUri(`${NOBODY}@${options.domain ?? options.server.host}` as MailboxAddress);
    const response = await client.request(publishQuestion(uri, { etag: NO_TAG, expiresMs: options.expiresMs }), signal);
    return [...network, signInFinding(options.username, client.wasChallenged), presenceFinding(response)];
  } catch (thrown) {
    return [...network, failureFinding(toBridgeError(thrown))];
  } finally {
    client.close();
  }
}

async function networkFindings({ server: { host, port, transport }, ca }: SipClientOptions): Promise<readonly ProbeFinding[]> {
  if (transport === 'udp') return [await nameFinding(host)];
  const findings = await probeNetwork(new URL(`${transport === 'tls' ? 'https' : 'http'}://${hostText(host)}:${port}`), { ca });
  // Its advice speaks of web servers.
  return findings.map((one) => (one.advice === undefined ? one : { ...one, advice: one.advice.replaceAll('`url`', '`server`').replace('an https port', 'a TLS port').replace('http://, or another port?', 'transport=tcp, or another port?') }));
}

async function nameFinding(host: string): Promise<ProbeFinding> {
  try {
    const addresses = await hostAddresses(host, LIMITS.connectTimeoutMs, AbortSignal.timeout(LIMITS.connectTimeoutMs));
    return { step: 'DNS', outcome: 'ok', text: `${host} is ${addresses.map((one) => one.address).join(', ')}` };
  } catch (error) {
    return { step: 'DNS', outcome: 'fail', text: `${host}: ${codeOf(error)}`, advice: 'correct the host name in `server`, or the name server of this machine' };
  }
}

function signInFinding(username: string | undefined, wasChallenged: boolean): ProbeFinding {
  if (wasChallenged) return { step: 'sign-in', outcome: 'ok', text: 'the server accepts username and password' };
  return { step: 'sign-in', outcome: 'ok', text: username === undefined ? 'the server asks for none' : 'the server asks for none; username and password are not used' };
}

function presenceFinding(response: SipResponse): ProbeFinding {
  const step = 'presence';
  if (response.status === 412) return { step, outcome: 'ok', text: 'the server takes publications' };
  const { code, publicMessage, details } = responseFailure(response);
  const text = `${response.status}: ${response.status < 300 ? 'the server says it renewed what it cannot have' : publicMessage}`;
  const advice = String(details['advice'] ?? 'see the log of the server');
  // About somebody made up: a server that looks users up, or has other domains, may say so and serve real ones.
  if (response.status < 300 || code === 'MAILBOX_UNKNOWN' || code === 'MAILBOX_REFUSED') return { step, outcome: 'warn', text, advice: `asked about somebody made up; for real users: ${advice}` };
  return { step, outcome: 'fail', text, advice };
}

function failureFinding(error: BridgeError): ProbeFinding {
  const step = error.code === 'BACKEND_AUTH' ? 'sign-in' : 'reach';
  const reason = error.details['reason'];
  return {
    step,
    outcome: 'fail',
    text: reason === undefined ? error.publicMessage : `${error.publicMessage} (${String(reason)})`,
    advice: String(error.details['advice'] ?? 'is the server running, are port and transport right, does a firewall stand between?'),
  };
}
