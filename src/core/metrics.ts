/** How a change went on its way: from its storing to the start of its job, reading the home system, writing, and all of it. */
export type ReplicationStage = 'queued' | 'read' | 'write' | 'total';

/** What waits on one route of the replication. */
export interface QueueDepth {
  readonly route: string;
  readonly waiting: number;
  readonly running: number;
  readonly retrying: number;
  readonly failed: number;
  /** Of the oldest change that is not written yet; 0 where there is none. */
  readonly oldestAgeMs: number;
}

/** How it stands with one directory of the address book. */
export interface DirectoryState {
  readonly source: string;
  readonly entries: number;
  /** Since a reading last ended well; undefined: never. */
  readonly ageMs: number | undefined;
  /** The last reading ended well. */
  readonly isUp: boolean;
}

/** How it stands with what one account asks of one server. */
export interface BackEndState {
  /** Its origin. */
  readonly server: string;
  /** Its host and port, for metrics. */
  readonly label: string;
  /** No secret; never a label. */
  readonly account: string;
  readonly inFlight: number;
  readonly waiting: number;
  /** So much may be asked at the same time. */
  readonly concurrency: number;
  /** The server has not answered several times in a row; all its accounts share that. */
  readonly isBreakerOpen: boolean;
  /** When it is tried again (epoch ms); undefined where it may be asked, or is being tried. */
  readonly openUntil: number | undefined;
  /** It has asked this account for a pause until then (epoch ms). */
  readonly heldOffUntil: number | undefined;
}

/** Why a request did not reach its back end: it asked for a pause; it does not answer; too many wait for it, or for all; its turn would come too late. */
export type BackEndRefusal = 'held-off' | 'breaker-open' | 'queue-full' | 'all-queues-full' | 'too-late';

/** How it stands with presence. */
export interface PresenceCounts {
  /** People by what is shown of them. */
  readonly states: Readonly<Record<string, number>>;
  /** Calendars by gateway (or system) and by how their changes are heard of. */
  readonly watched: readonly { readonly gateway: string; readonly mode: string; readonly count: number }[];
  /** Publications that wait, by publisher. */
  readonly waiting: readonly { readonly publisher: string; readonly count: number }[];
}

/** What is counted; platform/metrics.ts gives it to Prometheus. No mailbox is ever a label. */
export interface Metrics {
  /** A request to a face was answered. */
  request(face: string, status: number, durationMs: number): void;
  /** Mailboxes of a lookup by where their answers came from: kept (`hit`), a question under way (`joined`), a question of its own (`miss`); `stale`: beside that, an older answer was given because the system did not. */
  answered(system: string, how: 'hit' | 'joined' | 'miss' | 'stale', mailboxes: number): void;
  /** A request was refused unread: too many at once (`full`), or answers would have come late (`late`). */
  shed(reason: 'full' | 'late'): void;
  /** One mailbox of a lookup came out: `ok`, `stale` or an error code. `system` is `none` where no system was asked. */
  lookup(system: string, outcome: string): void;
  /** One question to a calendar system ended; those who joined it while it was under way do not count. */
  upstream(system: string, durationMs: number): void;
  /** A client failed to sign in. */
  signInFailed(reason: string): void;
  /** A configuration was applied (`ok`) or refused (`refused`). */
  reload(outcome: 'ok' | 'refused'): void;
  /** A mailbox's turn on a route ended: `written`, `unchanged`, `removed`, `skipped`. */
  replicated(route: string, outcome: string): void;
  /** A try on a route failed; `system` is the one that failed, `kind` an error code. */
  replicationFailed(route: string, system: string, kind: string): void;
  replicationStage(route: string, stage: ReplicationStage, durationMs: number): void;
  /** Mailboxes that a feed (`waitset`, `notify`, `push-face`, `sweep`, `directory`) told of and that were stored. */
  changes(system: string, feed: string, count: number): void;
  /** A planned change of presence was shown, so long after the instant planned for it. */
  presenceShown(lagMs: number): void;
  /** A publication ended: `ok`, `withdrawn` or an error code. */
  presencePublished(publisher: string, outcome: string): void;
  /** A request was refused before it reached its server, a host and port. */
  backEndRefused(server: string, reason: BackEndRefusal): void;
}

export const noMetrics: Metrics = {
  request() {},
  answered() {},
  shed() {},
  lookup() {},
  upstream() {},
  signInFailed() {},
  reload() {},
  replicated() {},
  replicationFailed() {},
  replicationStage() {},
  changes() {},
  presenceShown() {},
  presencePublished() {},
  backEndRefused() {},
};
