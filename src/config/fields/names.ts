import { text } from './field.ts';
import type { Field } from './field.ts';

/** A system's name: also a label of metrics and a word in logs. */
export const SYSTEM_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

/** A name for people and logs: printable, no blanks at its ends, at most 64 characters. */
export function displayName(): Field<string> {
  return text('a name of 1 to 64 printable characters', (value) =>
    value.trim() === value && value.length > 0 && value.length <= 64 && !/\p{C}/u.test(value) ? value : undefined,
  );
}

/** A user name that can stand in Basic credentials (RFC 7617 §2: no colon, no control characters). */
export function username(): Field<string> {
  return text('a user name of at most 256 characters without colons or control characters', (value) =>
    value.trim() === value && value.length > 0 && value.length <= 256 && !/[:\u0000-\u001f\u007f]/.test(value) ? value : undefined,
  );
}

/** A text of one line, not empty. */
export function line(right: string): Field<string> {
  return text(right, (value) => (value.length > 0 && value.length <= 256 && !/[\u0000-\u001f\u007f]/.test(value) ? value : undefined));
}
