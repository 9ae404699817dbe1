import { LIMITS } from '../core/limits.ts';
import type { Clock, Instant } from '../core/clock.ts';
import { isRefused, judgeMessage } from './written-message.ts';
import type { MessageContents, Properties, Refusal } from './written-message.ts';
import { ID } from './written-property.ts';
import type { PairName, WrittenProperty } from './written-property.ts';
import { tile } from './status-row.ts';
import type { Status, Stretch } from './status-row.ts';

/** How a message came or went. */
export type WriteOperation = 'PROPPATCH' | 'DELETE' | 'CreateItem' | 'UpdateItem' | 'DeleteItem';

/** A free/busy message that somebody wrote into the stand-in's folder, decoded by the stand-in's own code. */
export interface PublishedMessage extends MessageContents {
  readonly writtenAt: Instant;
  /** How often it was written since it is there. */
  readonly writes: number;
  /** What wrote it last. */
  readonly operation: WriteOperation;
}

/** One write or removal, as it happens. */
export interface Publication {
  readonly operation: WriteOperation;
  readonly legacyExchangeDn: string;
  /** What is there now; absent after a removal. */
  readonly message?: PublishedMessage;
}

/** A message with the place where it lies. */
export interface StoredMessage {
  /** Compared exactly; the stand-in chooses it. */
  readonly key: string;
  /** New at every write. */
  readonly version: number;
  readonly properties: Properties;
  readonly published: PublishedMessage;
}

/** A change of properties: `set` replaces by id, `remove` takes ids away; one that is not there is no mistake. */
export interface PropertyChange {
  readonly set: readonly WrittenProperty[];
  readonly remove: readonly number[];
  /** What the subject must be, without regard to case, because the message's name says so. */
  readonly subject?: string;
}

/** The messages of one EX: folder that were written from outside. */
export interface MessageFolder {
  readonly organisation: string;
  /** Stores the message as it is after the change, or says what is wrong with it and stores nothing. */
  write(key: string, change: PropertyChange, operation: WriteOperation): StoredMessage | readonly Refusal[];
  find(key: string): StoredMessage | undefined;
  /** By legacyExchangeDN, without regard to case. */
  ofPerson(legacyExchangeDn: string): StoredMessage | undefined;
  all(): readonly StoredMessage[];
  /** False when there was none. */
  remove(key: string, operation: WriteOperation): boolean;
  readonly published: () => readonly PublishedMessage[];
  /** Hears of every write and removal until the function that it gives is called. */
  readonly onPublished: (listener: (publication: Publication) => void) => () => void;
  /**
   * The next message written about this person that `isWanted` takes, whatever is there already.
   *
   * @throws Error when none comes within `patienceMs`
   */
  readonly nextPublished: (legacyExchangeDn: string, patienceMs?: number, isWanted?: (message: PublishedMessage) => boolean) => Promise<PublishedMessage>;
}

/** Longer than a healthy bridge takes by far. */
const PATIENCE_MS = 10_000;

export function createMessageFolder(organisation: string, clock: Clock): MessageFolder {
  const messages = new Map<string, StoredMessage>();
  const keyOfPerson = new Map<string, string>();
  const listeners = new Set<(publication: Publication) => void>();
  let version = 0;
  const tell = (publication: Publication): void => {
    for (const listener of [...listeners]) listener(publication);
  };
  const folder: MessageFolder = {
    organisation,
    write(key, change, operation) {
      const before = messages.get(key);
      const properties = new Map(before?.properties);
      for (const id of change.remove) properties.delete(id);
      for (const property of change.set) properties.set(property.id, property);
      const judgement = judgeMessage(properties, organisation);
      if (isRefused(judgement)) return judgement;
      if (change.subject !== undefined && change.subject.toLowerCase() !== judgement.subject.toLowerCase()) return [{ id: ID.subject, reason: 'the subject is not that of the URL' }];
      if (before === undefined && messages.size >= LIMITS.standInMessages) throw new RangeError('too many messages for a stand-in');
      const published: PublishedMessage = { ...judgement, writtenAt: clock.now(), writes: (before?.published.writes ?? 0) + 1, operation };
      const stored: StoredMessage = { key, version: ++version, properties, published };
      messages.set(key, stored);
      keyOfPerson.set(judgement.legacyExchangeDn.toLowerCase(), key);
      tell({ operation, legacyExchangeDn: published.legacyExchangeDn, message: published });
      return stored;
    },
    find: (key) => messages.get(key),
    ofPerson: (legacyExchangeDn) => messages.get(keyOfPerson.get(legacyExchangeDn.toLowerCase()) ?? ''),
    all: () => [...messages.values()],
    remove(key, operation) {
      const stored = messages.get(key);
      if (stored === undefined) return false;
      messages.delete(key);
      const dn = stored.published.legacyExchangeDn;
      // Over EWS there can be two messages of one name: the other one is found now.
      const other = [...messages.values()].find((one) => one.published.legacyExchangeDn.toLowerCase() === dn.toLowerCase());
      if (other === undefined) keyOfPerson.delete(dn.toLowerCase());
      else keyOfPerson.set(dn.toLowerCase(), other.key);
      tell({ operation, legacyExchangeDn: dn });
      return true;
    },
    published: () => [...messages.values()].map((one) => one.published),
    onPublished(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    nextPublished: (legacyExchangeDn, patienceMs = PATIENCE_MS, isWanted = () => true) =>
      new Promise((resolve, reject) => {
        const stop = folder.onPublished(({ message }) => {
          if (message?.legacyExchangeDn.toLowerCase() !== legacyExchangeDn.toLowerCase() || !isWanted(message)) return;
          clearTimeout(timer);
          stop();
          resolve(message);
        });
        const timer = setTimeout(() => {
          stop();
          reject(new Error(`no message about ${legacyExchangeDn} within ${patienceMs} ms`));
        }, patienceMs);
        // A walk that is broken off must not keep its process waiting.
        timer.unref();
      }),
  };
  return folder;
}

const STATUS_OF_PAIR: Readonly<Record<Exclude<PairName, 'merged'>, Status>> = { tentative: 'tentative', busy: 'busy', away: 'oof' };

/**
 * What whoever looks at the person sees between start and end: no data outside of the publish range, away before busy before
 * tentative inside (exchange.md §1.3). The merged pair adds nothing to the others.
 */
export function shownOfMessage(message: MessageContents | undefined, start: Instant, end: Instant): readonly Stretch[] {
  if (message === undefined) return [{ start, end, status: 'no-data' }];
  const stretches: Stretch[] = (['tentative', 'busy', 'away'] as const).flatMap((name) =>
    message.intervals[name].map((span) => ({ ...span, status: STATUS_OF_PAIR[name] })),
  );
  if (start < message.publishStart) stretches.push({ start, end: Math.min(end, message.publishStart), status: 'no-data' });
  if (end > message.publishEnd) stretches.push({ start: Math.max(start, message.publishEnd), end, status: 'no-data' });
  return tile(stretches, start, end);
}
