import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/platform/metrics.ts';

describe('the metrics', () => {
  it('are exposed as Prometheus reads them, and count what happened', async () => {
    const metrics = createMetrics();
    metrics.request('owa', 200, 30);
    metrics.request('owa', 200, 300);
    metrics.lookup('exchange', 'ok');
    metrics.lookup('exchange', 'DEADLINE');
    metrics.upstream('exchange', 40);
    metrics.signInFailed('AUTH_FAILED');
    metrics.reload('refused');
    const { contentType, body } = await metrics.expose();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const line of [
      'freebusy_request_duration_seconds_count{face="owa",status="200"} 2',
      'freebusy_request_duration_seconds_bucket{le="0.05",face="owa",status="200"} 1',
      'freebusy_lookup_mailboxes_total{system="exchange",outcome="ok"} 1',
      'freebusy_lookup_mailboxes_total{system="exchange",outcome="DEADLINE"} 1',
      'freebusy_upstream_duration_seconds_count{system="exchange"} 1',
      'freebusy_sign_in_failures_total{reason="AUTH_FAILED"} 1',
      'freebusy_reloads_total{outcome="refused"} 1',
    ]) expect(body.split('\n')).toContain(line);
    for (const line of body.split('\n')) expect(line).toMatch(/^(?:#.*|[a-z_][a-z0-9_]*(?:\{[^{}]*\})? \S+|)$/);
  });

  it('of two bridges in one process do not meet', async () => {
    const one = createMetrics();
    createMetrics().lookup('exchange', 'ok');
    expect((await one.expose()).body).not.toContain('freebusy_lookup_mailboxes_total{');
  });
});
