import { BridgeError } from '../../../core/errors.ts';
import type { ErrorCode } from '../../../core/errors.ts';
import { connectionError } from '../../../platform/http-client/connection-error.ts';

/** What was asked for when a directory refused. */
export type LdapStep = 'STARTTLS' | 'bind' | 'search';

/** Classifies what TCP, DNS or TLS threw; `details.reason` is its code. */
export function connectionFailure(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError) return thrown;
  const { code, details } = connectionError(thrown);
  const reason = String(details['reason']);
  if (reason === 'ABORT_ERR') return new BridgeError('DEADLINE', 'no answer in time', { temporary: true, cause: thrown });
  if (reason === 'ETIMEDOUT') return new BridgeError('BACKEND_UNREACHABLE', 'the directory does not answer', { temporary: true, cause: thrown, details });
  if (code === 'BACKEND_TLS') return new BridgeError('BACKEND_TLS', 'the directory could not be trusted', { cause: thrown, details });
  return new BridgeError('BACKEND_UNREACHABLE', 'the directory cannot be reached', { temporary: true, cause: thrown, details });
}

/**
 * Classifies a result code (RFC 4511 §4.1.9, appendix A.2) and what the server said beside it. `details.status` is the code, `details.fault` the server's words without
 * control characters, `details.advice` what an administrator can do.
 */
export function resultFailure(status: number, said: string, step: LdapStep): BridgeError {
  const fault = said.replace(/[\p{C}\s]+/gu, ' ').trim().slice(0, 200);
  const { code, text, advice, temporary = false } = judged(status, fault, step);
  return new BridgeError(code, text, { temporary, details: { status, ...(fault === '' ? {} : { fault }), advice } });
}

interface Judgement {
  readonly code: ErrorCode;
  readonly text: string;
  readonly advice: string;
  readonly temporary?: boolean;
}

function judged(status: number, fault: string, step: LdapStep): Judgement {
  if (step === 'STARTTLS') return { code: 'BACKEND_TLS', text: 'the directory refuses STARTTLS', advice: 'give it a certificate, or use an ldaps:// url' };
  // Active Directory answers whoever has not signed in so, with operationsError.
  if (status === 1 && /successful bind/i.test(fault)) return UNBOUND;
  if (step === 'bind' && (status === 49 || status === 53)) return { ...WRONG_PASSWORD, advice: activeDirectoryReason(fault) ?? WRONG_PASSWORD.advice };
  return RESULTS[status] ?? { code: 'BACKEND_FAULT', text: 'the directory refused', advice: 'see the log of the directory', temporary: true };
}

const WRONG_PASSWORD: Judgement = { code: 'BACKEND_AUTH', text: 'the directory does not accept bindDn and password', advice: 'check bindDn and password, and whether the account is enabled' };
const UNBOUND: Judgement = { code: 'BACKEND_AUTH', text: 'the directory is read by accounts only', advice: 'give bindDn and password' };
const TOO_MANY = 'let its administrator lift the limit for bindDn (OpenLDAP: limits dn.exact="…" size=unlimited, size.prtotal=unlimited), or narrow base or filter';

const RESULTS: Readonly<Record<number, Judgement>> = {
  1: { code: 'BACKEND_FAULT', text: 'the directory failed', advice: 'see the log of the directory', temporary: true },
  2: { code: 'BACKEND_FAULT', text: 'the directory did not understand', advice: 'url must be that of an LDAPv3 server' },
  3: { code: 'BACKEND_BUSY', text: 'the directory took too long over a search', advice: 'let its administrator lift the time limit for bindDn, or index what filter asks for', temporary: true },
  4: { code: 'BACKEND_TOO_LARGE', text: 'the directory gives only a part of its entries', advice: TOO_MANY },
  7: { code: 'BACKEND_AUTH', text: 'the directory takes no simple bind', advice: 'allow simple binds over TLS' },
  8: { code: 'BACKEND_AUTH', text: 'the directory wants a stronger sign-in', advice: 'use an ldaps:// url, or startTls' },
  10: { code: 'BACKEND_REDIRECT', text: 'the directory refers to another server', advice: 'give the url of the server that holds base' },
  11: { code: 'BACKEND_TOO_LARGE', text: 'the directory gives only a part of its entries', advice: TOO_MANY },
  12: { code: 'BACKEND_FAULT', text: 'the directory refused a control', advice: 'see the log of the directory' },
  13: { code: 'BACKEND_AUTH', text: 'the directory wants TLS', advice: 'use an ldaps:// url, or startTls' },
  32: { code: 'BACKEND_FAULT', text: 'base does not exist there', advice: 'check base, and whether bindDn may read it (a server hides what one may not read)' },
  34: { code: 'BACKEND_FAULT', text: 'the directory takes base or bindDn for no DN', advice: 'check the spelling of base and bindDn' },
  48: UNBOUND,
  49: WRONG_PASSWORD,
  50: { code: 'BACKEND_AUTH', text: 'bindDn may not read that', advice: 'give the account of bindDn the right to read base' },
  51: { code: 'BACKEND_BUSY', text: 'the directory is busy', advice: 'try again later', temporary: true },
  52: { code: 'BACKEND_BUSY', text: 'the directory is not ready', advice: 'try again later', temporary: true },
  53: { code: 'BACKEND_FAULT', text: 'the directory is unwilling', advice: 'see the log of the directory' },
};

/** What stands behind invalidCredentials, in Active Directory's `data …` ([MS-ERREF] Win32 codes, hexadecimal). */
function activeDirectoryReason(fault: string): string | undefined {
  return REASONS[/\bdata ([0-9a-f]{3})\b/i.exec(fault)?.[1]?.toLowerCase() ?? ''];
}

const REASONS: Readonly<Record<string, string>> = {
  '525': 'there is no such account: check bindDn',
  '52e': 'the password is wrong',
  '530': 'the account may not sign in at this hour',
  '531': 'the account may not sign in from this machine',
  '532': 'the password has expired',
  '533': 'the account is disabled',
  '701': 'the account has expired',
  '773': 'the account must change its password first',
  '775': 'the account is locked',
};
