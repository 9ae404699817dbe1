import type { Config, IssuerConfig } from '../config/config.ts';
import { toBridgeError } from '../core/errors.ts';
import type { BridgeError } from '../core/errors.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import { readKeys } from '../platform/auth/bearer/issuer-document.ts';
import { TOKEN_ALGORITHMS } from '../platform/auth/bearer/json-web-token.ts';
import type { Checked } from './checked.ts';

/** Every issuer that some client's tokens are of: asks it for its keys, as the bridge will. */
export async function checkIssuers({ issuers, clients }: Config): Promise<readonly Checked[]> {
  return Promise.all(issuers.map(async (issuer): Promise<Checked> => {
    const isUsed = clients.some(({ auth, token }) => auth.includes('bearer') && token?.issuer === issuer.issuer);
    const findings = isUsed ? [await keysOf(issuer)] : [{ step: 'clients', outcome: 'warn' as const, text: 'no client has tokens of this issuer', advice: 'give one token: and auth: [bearer], or take the issuer out' }];
    return { kind: 'issuer', name: issuer.issuer, findings };
  }));
}

async function keysOf(issuer: IssuerConfig): Promise<ProbeFinding> {
  try {
    const { keys } = await readKeys(issuer);
    const kinds = [...new Set(keys.map(({ type, algorithm }) => (algorithm === undefined ? type : `${type} for ${algorithm}`)))];
    const text = `${keys.length} ${keys.length === 1 ? 'key' : 'keys'} (${kinds.join(', ')}); tokens are for ${issuer.audience.join(' or ')}`;
    const isOfUse = keys.some(({ algorithm }) => algorithm === undefined || (TOKEN_ALGORITHMS as readonly string[]).includes(algorithm));
    return isOfUse ? { step: 'keys', outcome: 'ok', text } : { step: 'keys', outcome: 'fail', text, advice: `have it sign with one of ${TOKEN_ALGORITHMS.join(', ')}` };
  } catch (thrown) {
    const error = toBridgeError(thrown);
    return { step: 'keys', outcome: 'fail', text: `not read (${error.code}: ${wordsOf(error)})`, advice: adviceFor(error, issuer) };
  }
}

/** The HTTP client speaks of calendar systems. */
function wordsOf({ publicMessage, details }: BridgeError): string {
  const reason = details['reason'] ?? details['target'];
  const words = publicMessage.replace('the calendar system', 'the issuer');
  return typeof reason === 'string' ? `${words}, ${reason}` : words;
}

function adviceFor({ code }: BridgeError, { jwksUri }: IssuerConfig): string {
  const where = jwksUri === undefined ? 'issuer, or write jwksUri' : 'jwksUri';
  if (code === 'BACKEND_UNREACHABLE' || code === 'DEADLINE') return `let this machine reach it (DNS, firewall; a proxy on the way is not used), or correct ${where}`;
  if (code === 'BACKEND_TLS') return 'write tls: { ca } with the authority that has signed its certificate, or correct the name';
  return code === 'BACKEND_REDIRECT' ? 'write jwksUri as it stands behind the redirect' : `correct ${where}`;
}
