/** The last cn of the message that `check` writes and deletes again: nobody's. */
export const CHECK_NAME = 'freebusy-bridge-check';

/** A legacyExchangeDN beside another one, in its folder and its container. */
export function checkIdentityBeside(identity: string): string {
  return identity.replace(/^([\s\S]*\/cn=)[\s\S]*$/i, `$1${CHECK_NAME}`);
}
