import type { Actor } from '../../core/audit.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { PrivacyService, PrivacyState } from '../../freebusy/privacy.ts';
import type { AdminMethods, AdminOperation } from './admin-operation.ts';

/** What became of one mailbox in a list. */
export interface PrivacyOutcome {
  readonly mailbox: MailboxAddress;
  /** Absent: it was refused. */
  readonly changed?: boolean;
  /** After it. */
  readonly isHidden?: boolean;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

const ACTOR: Actor = { by: 'administrator', via: 'api' };

/**
 * By path below `/api/v1/admin/`: `privacy` lists whom the configuration or somebody named; `privacy/{address}` GET how it stands, PUT opts out, DELETE opts in again, each with the state as its
 * answer. PUT and DELETE need no body: no web page may send either elsewhere without asking first.
 */
export function privacyOperations(privacy: () => PrivacyService | undefined): Readonly<Record<string, AdminMethods>> {
  const found = (): PrivacyService => {
    const one = privacy();
    if (one === undefined) throw new BridgeError('NOT_FOUND', 'this bridge keeps nobody’s privacy');
    return one;
  };
  const switched = (isOptedOut: boolean): AdminOperation => async (_request, address) => {
    const mailbox = mailboxOf(address);
    await found().switch(mailbox, isOptedOut, ACTOR);
    return encodePrivacyState(found().of(mailbox));
  };
  return {
    privacy: { GET: async () => ({ mailboxes: found().all().map(encodePrivacyState) }) },
    'privacy/:address': { GET: async (_request, address) => encodePrivacyState(found().of(mailboxOf(address))), PUT: switched(true), DELETE: switched(false) },
  };
}

/** Opts everybody named out or in, stored together; what is refused is that mailbox's outcome. In the order named. */
export async function switchPrivacy(privacy: Pick<PrivacyService, 'switch' | 'of'>, mailboxes: readonly MailboxAddress[], isOptedOut: boolean, actor: Actor): Promise<readonly PrivacyOutcome[]> {
  return Promise.all(
    mailboxes.map(async (mailbox): Promise<PrivacyOutcome> => {
      try {
        const changed = await privacy.switch(mailbox, isOptedOut, actor);
        return { mailbox, changed, isHidden: privacy.of(mailbox).isHidden };
      } catch (thrown) {
        const { code, publicMessage: message } = toBridgeError(thrown);
        return { mailbox, error: { code, message } };
      }
    }),
  );
}

/** The body of `/api/v1/admin/privacy/{address}`, and one of `privacy list --json`. */
export function encodePrivacyState({ mailbox: address, isHidden: hidden, isExcluded: excluded, isOptedOut: optedOut, by, at }: PrivacyState): unknown {
  return { address, hidden, excluded, optedOut, by: by ?? null, at: at === undefined ? null : new Date(at).toISOString() };
}

function mailboxOf(address: string): MailboxAddress {
  const mailbox = parseMailboxAddress(address);
  if (mailbox === undefined) throw new BridgeError('INVALID_REQUEST', 'this is no mail address');
  return mailbox;
}
