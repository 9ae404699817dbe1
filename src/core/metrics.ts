/** What is counted; platform/metrics.ts gives it to Prometheus. No mailbox is ever a label. */
export interface Metrics {
  /** A request to a face was answered. */
  request(face: string, status: number, durationMs: number): void;
  /** One mailbox of a lookup came out: `ok` or an error code. `system` is `none` where no system was asked. */
  lookup(system: string, outcome: string): void;
  /** One question to a calendar system ended; those who joined it while it was under way do not count. */
  upstream(system: string, durationMs: number): void;
  /** A client failed to sign in. */
  signInFailed(reason: string): void;
  /** A configuration was applied (`ok`) or refused (`refused`). */
  reload(outcome: 'ok' | 'refused'): void;
}

export const noMetrics: Metrics = { request() {}, lookup() {}, upstream() {}, signInFailed() {}, reload() {} };
