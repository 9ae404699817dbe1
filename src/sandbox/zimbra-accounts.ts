import { randomUUID } from 'node:crypto';
import type { CalendarStore, Mailbox } from './calendar-store.ts';

/** What the directory knows of an account beside its address and name. */
export interface AccountDetails {
  /** zimbraForeignPrincipal, with its prefix `ad:`. */
  readonly foreignPrincipal?: string;
  /** A GAL synchronisation, spam or quarantine account. */
  readonly isSystem?: boolean;
  /** Nobody was given viewFreeBusy: to everybody but a global administrator the calendar is unknown. */
  readonly deniesFreeBusy?: boolean;
  /** zimbraCalResType: no person but a room or a thing. */
  readonly resource?: 'Location' | 'Equipment';
}

export interface Account extends AccountDetails {
  /** zimbraId. */
  readonly id: string;
  readonly address: string;
  /** Its attributes as the admin SOAP gives them. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** The accounts of a stand-in: one for each of its calendars. */
export interface Accounts {
  all(): readonly Account[];
  byAddress(address: string): Account | undefined;
  byId(id: string): Account | undefined;
}

/** @param detailsOf default: everybody is replicated under their local part */
export function createAccounts(calendars: CalendarStore, detailsOf: (address: string) => AccountDetails = replicatedByLocalPart): Accounts {
  const byAddress = new Map<string, Account>();
  const byId = new Map<string, Account>();
  const accountOf = (mailbox: Mailbox): Account => {
    const known = byAddress.get(mailbox.address.toLowerCase());
    if (known !== undefined) return known;
    const details = detailsOf(mailbox.address);
    const id = randomUUID();
    const account: Account = { ...details, id, address: mailbox.address, attributes: attributesOf(mailbox, id, details) };
    byAddress.set(mailbox.address.toLowerCase(), account);
    byId.set(id, account);
    return account;
  };
  return {
    all: () => calendars.mailboxes().map(accountOf),
    byAddress(address) {
      const mailbox = calendars.find(address);
      return mailbox && accountOf(mailbox);
    },
    byId(id) {
      if (!byId.has(id)) calendars.mailboxes().forEach(accountOf);
      return byId.get(id);
    },
  };
}

function replicatedByLocalPart(address: string): AccountDetails {
  return { foreignPrincipal: `ad:${address.slice(0, address.lastIndexOf('@'))}` };
}

function attributesOf(mailbox: Mailbox, id: string, details: AccountDetails): Readonly<Record<string, string>> {
  return {
    zimbraId: id,
    mail: mailbox.address,
    displayName: mailbox.displayName,
    uid: mailbox.address.slice(0, mailbox.address.lastIndexOf('@')),
    zimbraMailDeliveryAddress: mailbox.address,
    zimbraAccountStatus: 'active',
    zimbraMailHost: 'mail.zimbra.example',
    zimbraMailTransport: 'lmtp:mail.zimbra.example:7025',
    ...(details.foreignPrincipal === undefined ? {} : { zimbraForeignPrincipal: details.foreignPrincipal }),
    ...(details.resource === undefined ? {} : { zimbraCalResType: details.resource, zimbraAccountCalendarUserType: 'RESOURCE' }),
    ...(details.isSystem === true ? { zimbraIsSystemAccount: 'TRUE', zimbraIsSystemResource: 'TRUE' } : {}),
  };
}
