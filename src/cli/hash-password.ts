import { LIMITS } from '../core/limits.ts';
import { encodeScryptHash } from '../core/scrypt-hash.ts';
import { hashPassword } from '../platform/auth/scrypt.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import type { PasswordInput } from './password-input.ts';
import type { Terminal } from './terminal.ts';

export interface HashPasswordOptions {
  /** N as a power of two, as it was typed. */
  readonly cost: string;
}

/** What `--cost` takes; more than the last takes more than LIMITS.scryptBytes. */
export const HASH_COSTS = { min: LIMITS.scryptCost.min, max: 18 } as const;

/** `hash-password`: prints the words for `passwordHash:` of a password that is typed twice, or comes in one line. Nothing else is printed, and nothing of it stands in the list of processes. */
export async function printPasswordHash({ cost }: HashPasswordOptions, terminal: Terminal, input: PasswordInput): Promise<ExitCode> {
  if (!/^\d{1,2}$/.test(cost) || Number(cost) < HASH_COSTS.min || Number(cost) > HASH_COSTS.max) {
    terminal.complain(`--cost is a number from ${HASH_COSTS.min} to ${HASH_COSTS.max}`);
    return EXIT.wrongUsage;
  }
  const password = await input.read('Password: ');
  const mistake = mistakeOf(password) ?? (input.isTerminal && (await input.read('Again: ')) !== password ? 'the two are not the same' : undefined);
  if (mistake !== undefined || password === undefined) {
    terminal.complain(mistake ?? 'no password');
    return EXIT.wrongUsage;
  }
  terminal.print(encodeScryptHash(await hashPassword(password, Number(cost))));
  return EXIT.done;
}

/** What no client could send, or nobody meant. */
function mistakeOf(password: string | undefined): string | undefined {
  if (password === undefined) return 'interrupted';
  if (password === '') return 'the password is empty';
  if (Buffer.byteLength(password) > LIMITS.typedPasswordBytes) return `the password is longer than ${LIMITS.typedPasswordBytes} bytes`;
  if (password.includes('\uFFFD')) return 'the password is no UTF-8';
  if (/[\r\n]/.test(password)) return 'there is more than one line; the password is the only one';
  return /[\u0000-\u001f\u007f]/.test(password) ? 'the password has a control character in it' : undefined;
}
