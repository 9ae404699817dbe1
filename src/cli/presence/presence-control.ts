import { userInfo } from 'node:os';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import { PRESENCE_STATES } from '../../presence/presence.ts';
import { OWN_SOURCES } from '../../presence/presence-service.ts';
import type { Actor, PresenceService } from '../../presence/presence-service.ts';
import { switchEach } from '../../protocols/rest-api/admin-presence.ts';
import type { OpenListings } from '../open-listings.ts';
import { decodeMailbox } from '../over-socket/push-outcome.ts';
import { isRecord, readEach } from '../over-socket/record.ts';
import type { JsonRecord } from '../over-socket/record.ts';
import type { ListEveryone } from './presence-access.ts';

/** What the running bridge lends to `presence …`. */
export interface ControlledPresence {
  readonly service: PresenceService;
  readonly everyone: ListEveryone;
}

type RunCommand = (presence: ControlledPresence, body: JsonRecord, listings: OpenListings) => Promise<unknown>;

/** What a bridge answers to `presence …` over its control socket, by command. */
export const OF_PRESENCE: Readonly<Record<string, RunCommand>> = {
  /** `{}` → `{status}` */
  'presence/status': async ({ service }) => ({ status: service.status() }),
  /** `{offset}` → `{mailboxes, more}` */
  'presence/mailboxes': async ({ service }, { offset }) => page(service.followed(), offset),
  'presence/opt-ins': async ({ service }, { offset }) => page(service.optIns(), offset),
  /** `{mailboxes, isOn, by}` → `{outcomes}` */
  'presence/switch': async ({ service }, { mailboxes, isOn, by }) => {
    const named = readEach(mailboxes, decodeMailbox);
    if (named === undefined || named.length > LIMITS.presenceSwitches || typeof isOn !== 'boolean') return malformed();
    return { outcomes: await switchEach(service, named, isOn, actorOf(by)) };
  },
  /** `{mailbox, language, by}`; without a language the configuration's */
  'presence/language': async ({ service }, { mailbox, language, by }) => {
    if (language !== undefined && typeof language !== 'string') return malformed();
    await service.setLanguage(decodeMailbox(mailbox) ?? malformed(), language, actorOf(by));
    return {};
  },
  /** `{mailbox, source, state, until, by}`; without a state it says nothing any more */
  'presence/own': async ({ service }, { mailbox, source, state, until, by }) => {
    const from = OWN_SOURCES.find((one) => one === source) ?? malformed();
    const said = state === undefined ? undefined : (PRESENCE_STATES.find((one) => one === state) ?? malformed());
    if (until !== null && typeof until !== 'number') return malformed();
    await service.setOwn(decodeMailbox(mailbox) ?? malformed(), from, said, until, actorOf(by));
    return {};
  },
  /** `{mailboxes}`, or `{mailboxes: "all"}` → `{count}` */
  'presence/resync': async ({ service }, { mailboxes }) => ({ count: service.resync(mailboxes === 'all' ? mailboxes : (readEach(mailboxes, decodeMailbox) ?? malformed())) }),
  /** `{systems}`, then `{cursor}` for as long as one comes back → `{mailboxes, cursor?}` */
  'presence/everyone': async ({ everyone }, { systems, cursor }, listings) => {
    if (cursor !== undefined) return listings.next(typeof cursor === 'string' ? cursor : malformed());
    const named = readEach(systems, (one) => (typeof one === 'string' ? one : undefined)) ?? malformed();
    return listings.begin((signal) => everyone(named, signal));
  },
};

/** Whoever runs a command, for the audit log. */
export function commandActor(): Actor {
  let name: string;
  try {
    name = userInfo().username;
  } catch {
    // A user without an entry in the machine's list.
    name = `uid ${process.getuid?.() ?? '?'}`;
  }
  return { by: `command ${name}`, via: 'command' };
}

/** The command's own word for who runs it: nobody else may open that socket. */
export function actorOf(by: unknown): Actor {
  return { by: typeof by === 'string' && by.startsWith('command ') ? by.slice(0, LIMITS.addressCharacters) : 'command', via: 'command' };
}

/** Many thousands are asked for part by part; one that moves meanwhile may be there twice or not at all. */
function page<T extends { readonly mailbox: MailboxAddress }>(all: Iterable<T>, offset: unknown): unknown {
  const from = typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0 ? offset : malformed();
  const part: T[] = [];
  let at = 0;
  for (const one of all) {
    if (at >= from + LIMITS.presencePage) return { mailboxes: part, more: true };
    if (at >= from) part.push(one);
    at += 1;
  }
  return { mailboxes: part, more: false };
}

function malformed(): never {
  throw new BridgeError('INVALID_REQUEST', 'the command cannot be read');
}

export function isPresenceCommand(name: string): boolean {
  return Object.hasOwn(OF_PRESENCE, name);
}

/** Runs one of them. */
export async function runPresenceCommand(name: string, presence: ControlledPresence, body: unknown, listings: OpenListings): Promise<unknown> {
  return OF_PRESENCE[name]!(presence, isRecord(body) ? body : {}, listings);
}
