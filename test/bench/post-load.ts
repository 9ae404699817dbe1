import { Pool } from 'undici';
import { answerMessages } from './child-process.ts';

/** One round of the same request again and again, over so many connections, for a time or a number of them. */
export interface PostRound {
  readonly origin: string;
  readonly path: string;
  /** Absent: a GET. */
  readonly body?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly durationMs?: number;
  readonly requests?: number;
}

export interface PostResult {
  readonly requests: number;
  /** Answers other than 200. */
  readonly failures: number;
  readonly elapsedMs: number;
}

answerMessages(async (round: PostRound): Promise<PostResult> => {
  const pool = new Pool(round.origin, { connections: round.connections, pipelining: 1 });
  let failures = 0;
  let sent = 0;
  const started = performance.now();
  const until = started + (round.durationMs ?? Number.POSITIVE_INFINITY);
  const most = round.requests ?? Number.POSITIVE_INFINITY;
  const worker = async (): Promise<void> => {
    while (performance.now() < until && sent < most) {
      sent += 1;
      const { statusCode, body } = await pool.request({ method: round.body === undefined ? 'GET' : 'POST', path: round.path, headers: round.headers, body: round.body ?? null });
      await body.dump();
      if (statusCode !== 200) failures += 1;
    }
  };
  await Promise.all(Array.from({ length: round.connections }, worker));
  const elapsedMs = performance.now() - started;
  await pool.close();
  return { requests: sent, failures, elapsedMs };
});
