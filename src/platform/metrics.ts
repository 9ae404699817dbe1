import { Counter, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Metrics } from '../core/metrics.ts';

export interface PrometheusMetrics extends Metrics {
  /** The exposition text and its content type. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Seconds; a cached answer takes milliseconds, the default deadline is 5 s. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** One registry for the life of the process: a reload keeps the counters. */
export function createMetrics(): PrometheusMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Histogram({ name: 'freebusy_request_duration_seconds', help: 'Requests answered by a face.', labelNames: ['face', 'status'], buckets: BUCKETS, registers });
  const lookups = new Counter({ name: 'freebusy_lookup_mailboxes_total', help: 'Mailboxes looked up, by what came of them.', labelNames: ['system', 'outcome'], registers });
  const upstream = new Histogram({ name: 'freebusy_upstream_duration_seconds', help: 'Questions to a calendar system.', labelNames: ['system'], buckets: BUCKETS, registers });
  const signIns = new Counter({ name: 'freebusy_sign_in_failures_total', help: 'Clients refused at sign-in.', labelNames: ['reason'], registers });
  const reloads = new Counter({ name: 'freebusy_reloads_total', help: 'Configurations applied or refused.', labelNames: ['outcome'], registers });
  return {
    request: (face, status, durationMs) => requests.observe({ face, status: String(status) }, durationMs / 1000),
    lookup: (system, outcome) => lookups.inc({ system, outcome }),
    upstream: (system, durationMs) => upstream.observe({ system }, durationMs / 1000),
    signInFailed: (reason) => signIns.inc({ reason }),
    reload: (outcome) => reloads.inc({ outcome }),
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
