import type { ClientConfig, Config } from '../config/config.ts';
import type { Instant } from '../core/clock.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import { checkSignIn } from './check-sign-in.ts';
import type { Checked } from './checked.ts';

const GAL_WORDS = { none: '', search: ', may search the address book', sync: ', may take the whole address book' } as const;
const AUTH_WORDS = { basic: 'Basic', ntlm: 'NTLM', bearer: 'bearer token', certificate: 'certificate' } as const;

/** Who a client is, how it signs in, what it may see, and what in its entry stands in its own way. Asks nobody. */
export function checkClient(client: ClientConfig, config: Config, now: Instant): Checked {
  const who = client.anonymous ? 'anonymous' : client.credentials === undefined ? 'no user name' : `user ${client.credentials.username}`;
  const where = client.addresses === undefined ? 'from anywhere' : `from ${client.addresses.join(', ')}`;
  const how = client.auth.length === 0 ? '' : `, signs in by ${client.auth.map((one) => AUTH_WORDS[one]).join(', ')}`;
  const may = client.mayAsk.length === 0 || client.detail === 'none' ? 'may ask about nobody' : `may ask ${client.mayAsk.join(', ')} for ${client.detail}`;
  const findings: ProbeFinding[] = [{ step: 'rights', outcome: 'ok', text: `${who} ${where}${how}, speaks for ${client.from}, ${may}${GAL_WORDS[client.gal]}` }];
  if (client.mayAsk.length === 0 && client.presence === 'none' && client.gal === 'none') findings.push({ step: 'rights', outcome: 'warn', text: 'gets no answer about anybody', advice: 'list systems under mayAsk' });
  if (client.mayAsk.includes(client.from)) findings.push({ step: 'loop', outcome: 'warn', text: `is never answered about ${client.from}, for which it speaks`, advice: `take ${client.from} out of mayAsk` });
  if (isZimbraWithoutBasic(client, config)) findings.push({ step: 'sign-in', outcome: 'warn', text: 'a Zimbra cannot do NTLM', advice: 'write auth: [basic]' });
  findings.push(...checkSignIn(client, config, now));
  const secret = client.credentials !== undefined ? 'password' : client.auth.includes('bearer') ? 'token' : undefined;
  if (secret !== undefined && config.listen.some((one) => one.protocol === 'http' && !one.isLoopback) && !config.behindProxy) {
    findings.push({ step: 'TLS', outcome: 'fail', text: `its ${secret} would travel in the clear`, advice: 'listen on https, or behind a proxy that does' });
  }
  return { kind: 'client', name: client.name, findings };
}

/** A Zimbra proves who it is by its password only, in all its ways in. */
function isZimbraWithoutBasic(client: ClientConfig, { systems }: Config): boolean {
  return client.credentials !== undefined && !client.auth.includes('basic') && systems.some(({ name, type }) => name === client.from && type === 'zimbra');
}
