import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { toBridgeError } from '../core/errors.ts';
import type { BackEndState, DirectoryState, Metrics, PresenceCounts, QueueDepth } from '../core/metrics.ts';

export interface PrometheusMetrics extends Metrics {
  /** The exposition text and its content type. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** Whom to ask for what waits, at every exposition; a reload replaces it. */
  readDepthsFrom(read: () => Promise<readonly QueueDepth[]>): void;
  /** Whom to ask how it stands with the directories, likewise. */
  readDirectoriesFrom(read: () => readonly DirectoryState[]): void;
  /** Whom to ask how it stands with presence, likewise. */
  readPresenceFrom(read: () => PresenceCounts): void;
  /** Whom to ask how it stands with the back ends, likewise. */
  readBackEndsFrom(read: () => readonly BackEndState[]): void;
}

/** Seconds; a cached answer takes milliseconds, the default deadline is 5 s. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** One registry for the life of the process: a reload keeps the counters. */
export function createMetrics(): PrometheusMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers: [Registry] = [registry];
  const requests = new Histogram({ name: 'freebusy_request_duration_seconds', help: 'Requests answered by a face.', labelNames: ['face', 'status'], buckets: BUCKETS, registers });
  const lookups = new Counter({ name: 'freebusy_lookup_mailboxes_total', help: 'Mailboxes looked up, by what came of them.', labelNames: ['system', 'outcome'], registers });
  const answers = new Counter({ name: 'freebusy_answers_mailboxes_total', help: 'Mailboxes by where their answers came from: hit, joined, miss; stale: an older one was given.', labelNames: ['system', 'source'], registers });
  const shed = new Counter({ name: 'freebusy_shed_requests_total', help: 'Requests refused unread because of load, by why.', labelNames: ['reason'], registers });
  const upstream = new Histogram({ name: 'freebusy_upstream_duration_seconds', help: 'Questions to a calendar system.', labelNames: ['system'], buckets: BUCKETS, registers });
  const signIns = new Counter({ name: 'freebusy_sign_in_failures_total', help: 'Clients refused at sign-in.', labelNames: ['reason'], registers });
  const reloads = new Counter({ name: 'freebusy_reloads_total', help: 'Configurations applied or refused.', labelNames: ['outcome'], registers });
  const replicated = new Counter({ name: 'freebusy_replication_mailboxes_total', help: 'Mailboxes replicated, by what came of them.', labelNames: ['route', 'outcome'], registers });
  const failures = new Counter({ name: 'freebusy_replication_failures_total', help: 'Tries that failed, by the system that failed and the kind of failure.', labelNames: ['route', 'system', 'kind'], registers });
  const stages = new Histogram({ name: 'freebusy_replication_duration_seconds', help: 'From a change to its being written, by stage.', labelNames: ['route', 'stage'], buckets: [...BUCKETS, 30, 60, 300], registers });
  const changes = new Counter({ name: 'freebusy_changes_total', help: 'Changed mailboxes that were stored, by the feed that told.', labelNames: ['system', 'feed'], registers });
  const depth = new Gauge({ name: 'freebusy_replication_queue_mailboxes', help: 'Mailboxes in the queue, by state.', labelNames: ['route', 'state'], registers });
  const oldest = new Gauge({ name: 'freebusy_replication_oldest_change_seconds', help: 'Age of the oldest change that is not written yet.', labelNames: ['route'], registers });
  const storeUp = new Gauge({ name: 'freebusy_replication_store_up', help: '1 while Redis answers; while it does not, what waits is not known.', registers });
  const entries = new Gauge({ name: 'freebusy_directory_entries', help: 'Entries of a directory of the address book.', labelNames: ['source'], registers });
  const age = new Gauge({ name: 'freebusy_directory_age_seconds', help: 'Since a directory was last read to its end.', labelNames: ['source'], registers });
  const directoryUp = new Gauge({ name: 'freebusy_directory_up', help: '1 while the last reading of a directory ended well.', labelNames: ['source'], registers });
  const lag = new Histogram({ name: 'freebusy_presence_lag_seconds', help: 'Changes of presence, behind the instant planned for them.', buckets: BUCKETS, registers });
  const published = new Counter({ name: 'freebusy_presence_publications_total', help: 'Publications of presence, by what came of them.', labelNames: ['publisher', 'outcome'], registers });
  const states = new Gauge({ name: 'freebusy_presence_people', help: 'People who opted in, by what is shown of them.', labelNames: ['state'], registers });
  const watched = new Gauge({ name: 'freebusy_presence_calendars', help: 'Calendars by gateway and by how their changes are heard of.', labelNames: ['gateway', 'mode'], registers });
  const unpublished = new Gauge({ name: 'freebusy_presence_waiting', help: 'Publications that wait.', labelNames: ['publisher'], registers });
  const backEnds = backEndGauges(registers);
  let readPresence: () => PresenceCounts = () => ({ states: {}, watched: [], waiting: [] });
  const updatePresence = (): void => {
    for (const gauge of [states, watched, unpublished]) gauge.reset();
    const counts = readPresence();
    for (const [state, count] of Object.entries(counts.states)) states.set({ state }, count);
    for (const { gateway, mode, count } of counts.watched) watched.set({ gateway, mode }, count);
    for (const { publisher, count } of counts.waiting) unpublished.set({ publisher }, count);
  };
  let readDirectories: () => readonly DirectoryState[] = () => [];
  const updateDirectories = (): void => {
    for (const gauge of [entries, age, directoryUp]) gauge.reset();
    for (const { source, ageMs, isUp, ...state } of readDirectories()) {
      entries.set({ source }, state.entries);
      directoryUp.set({ source }, isUp ? 1 : 0);
      if (ageMs !== undefined) age.set({ source }, ageMs / 1000);
    }
  };
  let readDepths: () => Promise<readonly QueueDepth[]> = async () => [];
  const updateDepths = async (): Promise<void> => {
    depth.reset();
    oldest.reset();
    let depths: readonly QueueDepth[];
    try {
      depths = await readDepths();
      storeUp.set(1);
    } catch (thrown) {
      // The store is away: what waits is not known, and everything else is wanted now more than ever.
      if (toBridgeError(thrown).code !== 'STORE_UNAVAILABLE') throw thrown;
      storeUp.set(0);
      return;
    }
    for (const { route, oldestAgeMs, ...states } of depths) {
      for (const [state, count] of Object.entries(states)) depth.set({ route, state }, count);
      oldest.set({ route }, oldestAgeMs / 1000);
    }
  };
  return {
    request: (face, status, durationMs) => requests.observe({ face, status: String(status) }, durationMs / 1000),
    lookup: (system, outcome) => lookups.inc({ system, outcome }),
    answered: (system, source, mailboxes) => answers.inc({ system, source }, mailboxes),
    shed: (reason) => shed.inc({ reason }),
    upstream: (system, durationMs) => upstream.observe({ system }, durationMs / 1000),
    signInFailed: (reason) => signIns.inc({ reason }),
    reload: (outcome) => reloads.inc({ outcome }),
    replicated: (route, outcome) => replicated.inc({ route, outcome }),
    replicationFailed: (route, system, kind) => failures.inc({ route, system, kind }),
    replicationStage: (route, stage, durationMs) => stages.observe({ route, stage }, durationMs / 1000),
    changes: (system, feed, count) => changes.inc({ system, feed }, count),
    presenceShown: (lagMs) => lag.observe(lagMs / 1000),
    presencePublished: (publisher, outcome) => published.inc({ publisher, outcome }),
    backEndRefused: (server, reason) => backEnds.refused.inc({ server, reason }),
    readBackEndsFrom: (read) => {
      backEnds.read = read;
    },
    readPresenceFrom: (read) => {
      readPresence = read;
    },
    readDepthsFrom: (read) => {
      readDepths = read;
    },
    readDirectoriesFrom: (read) => {
      readDirectories = read;
    },
    expose: async () => {
      await updateDepths();
      updateDirectories();
      updatePresence();
      backEnds.update();
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}

/** What is asked of back ends; accounts are no labels, so those of a server are counted together. */
function backEndGauges(registers: readonly [Registry]): BackEndGauges {
  const gauge = (name: string, help: string): Gauge<'server'> => new Gauge({ name: `freebusy_backend_${name}`, help, labelNames: ['server'], registers: [...registers] });
  const inFlight = gauge('requests_in_flight', 'Requests that a back end is answering.');
  const waiting = gauge('requests_waiting', 'Requests that wait for their turn at a back end.');
  const concurrency = gauge('concurrency', 'Requests that a back end may be asked at the same time.');
  const breaker = gauge('breaker_open', '1 while a server is left alone, or tried again, because it did not answer.');
  const heldOff = gauge('accounts_held_off', 'Accounts that a server has asked for a pause.');
  const made: BackEndGauges = {
    refused: new Counter({ name: 'freebusy_backend_refused_total', help: 'Requests refused before they reached their back end.', labelNames: ['server', 'reason'], registers: [...registers] }),
    read: () => [],
    update: () => {
      for (const one of [inFlight, waiting, concurrency, breaker, heldOff]) one.reset();
      for (const state of made.read()) {
        const labels = { server: state.label };
        inFlight.inc(labels, state.inFlight);
        waiting.inc(labels, state.waiting);
        concurrency.inc(labels, state.concurrency);
        breaker.set(labels, state.isBreakerOpen ? 1 : 0);
        heldOff.inc(labels, state.heldOffUntil === undefined ? 0 : 1);
      }
    },
  };
  return made;
}

interface BackEndGauges {
  readonly refused: Counter<'server' | 'reason'>;
  read: () => readonly BackEndState[];
  update(): void;
}
