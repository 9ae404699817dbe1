import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { ewsAnswer } from './calendar.ts';

/** A back end that works on so many requests at the same time, each for so long; the others wait in it. */
export interface Capacity {
  readonly atOnce: number;
  readonly serviceMs: number;
}

/** What a back end has seen. */
export interface Seen {
  readonly requests: number;
  /** Requests that were there at the same time, at most. */
  readonly most: number;
}

export interface OverloadedBackEnd {
  readonly port: number;
  seen(): Seen;
  close(): Promise<void>;
}

/** An EWS server of bounded strength; its answers are written by hand (calendar.ts). */
export async function startOverloadedBackEnd({ atOnce, serviceMs }: Capacity): Promise<OverloadedBackEnd> {
  const waiting: (() => void)[] = [];
  let working = 0;
  let present = 0;
  let requests = 0;
  let most = 0;
  const work = (start: () => void): void => {
    if (working < atOnce) {
      working += 1;
      start();
    } else waiting.push(start);
  };
  const next = (): void => {
    const start = waiting.shift();
    if (start === undefined) working -= 1;
    else start();
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests += 1;
      most = Math.max(most, ++present);
      let isThere = true;
      response.once('close', () => (present -= 1));
      response.once('close', () => (isThere = false));
      const body = answerTo(Buffer.concat(chunks).toString('latin1'));
      // A server that is asked works on it, whether or not anybody still waits.
      work(() => {
        setTimeout(() => {
          if (isThere) response.writeHead(200, { 'Content-Type': 'text/xml; charset=utf-8', 'Content-Length': body.length }).end(body);
          next();
        }, serviceMs);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen: () => ({ requests, most }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerTo(question: string): Buffer {
  return ewsAnswer(question.split('<t:MailboxData>').length - 1, Date.parse(`${textOf(question, 'StartTime')}Z`), Date.parse(`${textOf(question, 'EndTime')}Z`));
}

function textOf(xml: string, name: string): string {
  const at = xml.indexOf(`<t:${name}>`) + name.length + 4;
  return xml.slice(at, xml.indexOf('<', at));
}

/** So many questions a second, each about a mailbox of its own, whatever becomes of those before: it does not wait for answers. */
export interface Flood {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly domain: string;
  readonly start: number;
  readonly end: number;
  readonly perSecond: number;
  readonly durationMs: number;
}

/** One question: what it came to, and how long after it was sent, in ms. */
export interface Fate {
  /** `answered`, or the code of the error; `503` where the whole request was refused; what undici says where there was no answer at all. */
  readonly outcome: string;
  readonly tookMs: number;
}

/** Asks the JSON face; waits for the last answer. */
export async function flood({ origin, headers, domain, start, end, perSecond, durationMs }: Flood): Promise<readonly Fate[]> {
  const pool = new Pool(origin, { connections: 2_000, pipelining: 1, connectTimeout: 60_000 });
  const window = `start=${new Date(start).toISOString()}&end=${new Date(end).toISOString()}`;
  const fates: Promise<Fate>[] = [];
  const begun = performance.now();
  const ask = async (number: number): Promise<Fate> => {
    const sent = performance.now();
    try {
      return { outcome: await asked(number), tookMs: performance.now() - sent };
    } catch (error) {
      return { outcome: (error as NodeJS.ErrnoException).code ?? String(error), tookMs: performance.now() - sent };
    }
  };
  const asked = async (number: number): Promise<string> => {
    const { statusCode, body } = await pool.request({ method: 'GET', path: `/api/v1/freebusy?mailbox=mailbox${number}@${domain}&${window}`, headers });
    const text = await body.text();
    if (statusCode !== 200) return String(statusCode);
    const [result] = (JSON.parse(text) as { results: readonly { busy?: unknown; error?: { code: string } }[] }).results;
    return result?.busy === undefined ? (result?.error?.code ?? 'nothing') : 'answered';
  };
  const total = Math.floor((perSecond * durationMs) / 1000);
  while (fates.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) * perSecond) / 1000) + 1);
    while (fates.length < due) fates.push(ask(fates.length));
    await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond));
  }
  const all = await Promise.all(fates);
  await pool.close();
  return all;
}
