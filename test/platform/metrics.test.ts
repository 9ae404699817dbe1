import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../src/core/errors.ts';
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

describe('the queue in the metrics', () => {
  const depth = { route: 'zimbra → exchange', waiting: 3, running: 1, retrying: 0, failed: 2, oldestAgeMs: 1_500 };

  it('is read at every exposition', async () => {
    const metrics = createMetrics();
    metrics.readDepthsFrom(async () => [depth]);
    const lines = (await metrics.expose()).body.split('\n');
    for (const line of [
      'freebusy_replication_queue_mailboxes{route="zimbra → exchange",state="waiting"} 3',
      'freebusy_replication_queue_mailboxes{route="zimbra → exchange",state="failed"} 2',
      'freebusy_replication_oldest_change_seconds{route="zimbra → exchange"} 1.5',
      'freebusy_replication_store_up 1',
    ]) expect(lines).toContain(line);
  });

  it('is left out while the store is away, and everything else is there: it is wanted now more than ever', async () => {
    const metrics = createMetrics();
    metrics.lookup('exchange', 'ok');
    metrics.readDepthsFrom(async () => [depth]);
    await metrics.expose();
    metrics.readDepthsFrom(async () => Promise.reject(new BridgeError('STORE_UNAVAILABLE', 'away', { temporary: true })));
    const { body } = await metrics.expose();
    expect(body).toContain('freebusy_lookup_mailboxes_total{system="exchange",outcome="ok"} 1');
    expect(body).toContain('freebusy_replication_store_up 0');
    expect(body).not.toContain('freebusy_replication_queue_mailboxes{');
  });
});

describe('the directories in the metrics', () => {
  it('are read at every exposition; one that has never been read has no age', async () => {
    const metrics = createMetrics();
    metrics.readDirectoriesFrom(() => [
      { source: 'dc.corp.example', entries: 100, ageMs: 2_500, isUp: false },
      { source: 'extra.csv', entries: 0, ageMs: undefined, isUp: false },
    ]);
    const lines = (await metrics.expose()).body.split('\n').filter((line) => line.startsWith('freebusy_directory'));
    expect(lines).toEqual([
      'freebusy_directory_entries{source="dc.corp.example"} 100',
      'freebusy_directory_entries{source="extra.csv"} 0',
      'freebusy_directory_age_seconds{source="dc.corp.example"} 2.5',
      'freebusy_directory_up{source="dc.corp.example"} 0',
      'freebusy_directory_up{source="extra.csv"} 0',
    ]);
    metrics.readDirectoriesFrom(() => []);
    expect((await metrics.expose()).body).not.toContain('freebusy_directory_entries{');
  });
});

describe('the back ends in the metrics', () => {
  it('are read at every exposition, the accounts of a server together; no account is a label', async () => {
    const metrics = createMetrics();
    const one = { server: 'https://mail.corp.example', label: 'mail.corp.example', account: 'corp\\one', inFlight: 3, waiting: 7, concurrency: 10, isBreakerOpen: true, openUntil: 5, heldOffUntil: 9 };
    metrics.readBackEndsFrom(() => [one, { ...one, account: 'corp\\two', inFlight: 1, waiting: 0, heldOffUntil: undefined }]);
    metrics.backEndRefused('mail.corp.example', 'too-late');
    metrics.backEndRefused('mail.corp.example', 'too-late');
    const { body } = await metrics.expose();
    expect(body.split('\n').filter((line) => line.startsWith('freebusy_backend'))).toEqual([
      'freebusy_backend_requests_in_flight{server="mail.corp.example"} 4',
      'freebusy_backend_requests_waiting{server="mail.corp.example"} 7',
      'freebusy_backend_concurrency{server="mail.corp.example"} 20',
      'freebusy_backend_breaker_open{server="mail.corp.example"} 1',
      'freebusy_backend_accounts_held_off{server="mail.corp.example"} 1',
      'freebusy_backend_refused_total{server="mail.corp.example",reason="too-late"} 2',
    ]);
    expect(body).not.toContain('corp\\');
    metrics.readBackEndsFrom(() => []);
    expect((await metrics.expose()).body).not.toContain('freebusy_backend_requests_in_flight{');
  });
});
