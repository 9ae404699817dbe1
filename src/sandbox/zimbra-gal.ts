import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Accounts } from './zimbra-accounts.ts';

/** Values of a contact's attributes, by Zimbra's names (zimbra.md §6.1). */
export type GalAttributes = Readonly<Record<string, string | readonly string[]>>;

/** One row of the stand-in's address book. */
export interface GalItem {
  /** Within the GAL synchronisation account's mailbox. */
  readonly itemId: number;
  /** When it last changed, in changes of the mailbox. */
  readonly changeId: number;
  /** DN in Zimbra's own LDAP. */
  readonly dn: string;
  readonly attributes: GalAttributes;
}

/** The address book of a stand-in: its accounts, and whom a test puts there, as a GAL synchronisation account keeps them. */
export interface Gal {
  /** Of the GAL synchronisation account: the first half of every id, and in every token. */
  readonly accountId: string;
  /** Whether users may synchronise (zimbraFeatureGalSyncEnabled) and search (zimbraFeatureGalEnabled); a test switches them off. */
  maySync: boolean;
  maySearch: boolean;
  /** Of one search (zimbraGalMaxResults). */
  maxResults: number;
  /** Whether searches have pages, as those in a GAL synchronisation account's mailbox; off, as in LDAP, offset means nothing. */
  hasPages: boolean;
  /** So many answers to SyncGal from now on are throttled. */
  throttledAnswers: number;
  /** Answers to SyncGal recommend a reading from the beginning. */
  recommendsFullSync: boolean;
  /** Adds somebody, or says everything about somebody anew. `attributes` without `email`, `fullName` and what they are made of. */
  put(address: string, fullName: string, attributes?: GalAttributes): void;
  /** Gives another name; a person's first and last name with it. @throws RangeError for whom there is not */
  rename(address: string, fullName: string): void;
  /** @throws RangeError for whom there is not */
  remove(address: string): void;
  /** The GAL synchronisation account is made anew: other ids, tokens of before mean nothing. */
  startOver(): void;
  /** Everybody, in the order in which they changed. */
  items(): readonly GalItem[];
  /** Item ids of those who are gone since a change, and the last change of that. */
  goneSince(changeId: number): { readonly itemIds: readonly number[]; readonly changeId: number };
  /** The beginning of a token: when LDAP was last read (zimbra.md §6.2). */
  timestamp(): string;
}

const FIRST_ITEM = 257;

/** Whoever has an account is in it from the beginning and as long as nobody removes them, but for system accounts. */
export function createGal(accounts: Accounts, clock: Clock): Gal {
  let accountId = randomUUID();
  let lastItem = FIRST_ITEM - 1;
  let lastChange = 100;
  let items = new Map<string, GalItem>();
  let gone: { readonly itemId: number; readonly changeId: number }[] = [];
  /** Accounts that were seen: one that was removed from the address book does not come back. */
  const seen = new Set<string>();

  const put = (address: string, attributes: GalAttributes): void => {
    const key = address.toLowerCase();
    const known = items.get(key);
    lastChange += 1;
    items.delete(key);
    items.set(key, { itemId: known?.itemId ?? ++lastItem, changeId: lastChange, dn: dnOf(address), attributes });
  };
  const adopt = (): void => {
    for (const account of accounts.all()) {
      if (seen.has(account.id)) continue;
      seen.add(account.id);
      if (account.isSystem === true || items.has(account.address.toLowerCase())) continue;
      const resource = account.resource === undefined ? undefined : { zimbraCalResType: account.resource, zimbraAccountCalendarUserType: 'RESOURCE' };
      const name = account.attributes['displayName'] ?? account.address;
      put(account.address, { ...namesOf(account.address, name, resource === undefined), zimbraId: account.id, objectClass: classesOf(resource !== undefined), ...resource });
    }
  };
  const known = (address: string): GalItem => {
    adopt();
    const item = items.get(address.toLowerCase());
    if (item === undefined) throw new RangeError('nobody of that address in this address book');
    return item;
  };
  return {
    get accountId() {
      return accountId;
    },
    maySync: true,
    maySearch: true,
    maxResults: 100,
    hasPages: true,
    throttledAnswers: 0,
    recommendsFullSync: false,
    put(address, fullName, attributes = {}) {
      adopt();
      put(address, { ...namesOf(address, fullName, attributes['type'] !== 'group'), ...attributes });
    },
    rename(address, fullName) {
      const { attributes } = known(address);
      put(address, { ...attributes, ...namesOf(address, fullName, attributes['firstName'] !== undefined) });
    },
    remove(address) {
      const { itemId } = known(address);
      items.delete(address.toLowerCase());
      gone.push({ itemId, changeId: ++lastChange });
    },
    startOver() {
      adopt();
      accountId = randomUUID();
      gone = [];
      lastItem = FIRST_ITEM - 1;
      const old = items;
      items = new Map();
      for (const item of old.values()) put(String(item.attributes['email']), item.attributes);
    },
    items() {
      adopt();
      return [...items.values()];
    },
    goneSince: (changeId) => {
      const later = gone.filter((one) => one.changeId > changeId);
      return { itemIds: later.map(({ itemId }) => itemId), changeId: later.at(-1)?.changeId ?? changeId };
    },
    timestamp: () => `${new Date(clock.now()).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`,
  };
}

/** A person's name falls apart at its last blank. */
function namesOf(address: string, fullName: string, isPerson: boolean): GalAttributes {
  const blank = fullName.lastIndexOf(' ');
  return { email: address, fullName, ...(isPerson && blank > 0 ? { firstName: fullName.slice(0, blank), lastName: fullName.slice(blank + 1) } : {}) };
}

function classesOf(isResource: boolean): readonly string[] {
  return ['inetOrgPerson', 'zimbraAccount', ...(isResource ? ['zimbraCalendarResource'] : [])];
}

function dnOf(address: string): string {
  const [uid = '', domain = ''] = address.toLowerCase().split('@');
  return `uid=${uid},ou=people,${domain.split('.').map((label) => `dc=${label}`).join(',')}`;
}
