import { Pool } from 'undici';
import { answerMessages } from './child-process.ts';

/** One round: every connection sends its next request as soon as it has the answer to the last. */
export interface Round {
  readonly origin: string;
  readonly paths: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly durationMs: number;
}

export interface RoundResult {
  readonly requests: number;
  /** Answers other than 200. */
  readonly failures: number;
  readonly elapsedMs: number;
  /** Of every request, in ms. */
  readonly latencies: readonly number[];
}

answerMessages(async ({ origin, paths, headers, connections, durationMs }: Round): Promise<RoundResult> => {
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const latencies: number[] = [];
  let failures = 0;
  let next = 0;
  const started = performance.now();
  const until = started + durationMs;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      const sent = performance.now();
      const { statusCode, body } = await pool.request({ method: 'GET', path: paths[next++ % paths.length]!, headers });
      await body.dump();
      latencies.push(performance.now() - sent);
      if (statusCode !== 200) failures += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const elapsedMs = performance.now() - started;
  await pool.close();
  return { requests: latencies.length, failures, elapsedMs, latencies };
});
