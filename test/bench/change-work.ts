/** What the benchmark asks of the process with the stand-ins; each is answered before the next is sent. */
export type ChangeWork =
  | { readonly kind: 'listen'; readonly mailboxes: number }
  /** How many messages were ever written. */
  | { readonly kind: 'written' }
  /** Puts appointments into random calendars, so many a second, and says when each was found in the decoded message. */
  | { readonly kind: 'change'; readonly perSecond: number; readonly durationMs: number };

export interface ChangeResult {
  /** ms from the appointment to the message that holds it; Infinity for one that never came. */
  readonly delays: readonly number[];
  readonly writes: number;
}

export const STAND_IN_PASSWORD = 'bench-stand-in';
export const ZIMBRA_DOMAIN = 'zimbra.example';
export const ORGANISATION = '/o=Sandbox/ou=First Administrative Group';
