import { request } from 'node:http';
import type { ClientRequest } from 'node:http';
import { MINUTE_MS } from '../core/clock.ts';
import { PRESENT_PERSON } from './people.ts';
import type { Walk } from './walk-steps.ts';

/**
 * Somebody who has opted in enters an absence in Outlook: whoever watches is told, and told again when it is taken out.
 *
 * @returns what is wrong, in words
 */
export async function walkPresence({ sandbox, bridgeUrl, credentials, patienceMs, print }: Walk): Promise<readonly string[]> {
  const calendars = sandbox.calendars.exchangeEws;
  const now = sandbox.clock.now();
  const watcher = new EventWatcher(`${bridgeUrl.replace(/\/+$/, '')}/api/v1/presence/events?snapshot=true`, credentials.curl);
  let entry: string | undefined;
  try {
    const before = await watcher.next((state) => state !== 'unknown', patienceMs);
    entry = calendars.add(PRESENT_PERSON, { start: now - MINUTE_MS, end: now + 10 * MINUTE_MS, type: 'oof', subject: 'Dentist' }).id;
    const gone = await watcher.next((state) => state === 'away', patienceMs);
    print(`   ${PRESENT_PERSON} is ${before.state}, enters an absence, and is ${gone.state} after ${gone.tookMs} ms`);
    calendars.remove(PRESENT_PERSON, entry);
    entry = undefined;
    const back = await watcher.next((state) => state === before.state, patienceMs);
    print(`   takes it out again, and is ${back.state} after ${back.tookMs} ms`);
    print('   Exchange told the bridge over a subscription; of the entry nobody is told more than that it is there');
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : 'no answer'];
  } finally {
    if (entry !== undefined) calendars.remove(PRESENT_PERSON, entry);
    watcher.close();
  }
}

/** Reads the states of one person off the bridge's event stream. */
class EventWatcher {
  readonly #request: ClientRequest;
  readonly #states: string[] = [];
  #text = '';
  #failure: string | undefined;
  #wake = (): void => undefined;

  constructor(url: string, { username, password }: { readonly username: string; readonly password: string }) {
    this.#request = request(url, { auth: `${username}:${password}`, headers: { accept: 'text/event-stream' } }, (answer) => {
      if (answer.statusCode !== 200) this.#fail(`the event stream is ${answer.statusCode ?? 0}`);
      answer.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk));
      answer.on('close', () => this.#fail('the event stream has ended'));
      answer.on('error', () => undefined);
    });
    this.#request.on('error', () => this.#fail('the event stream cannot be had')).end();
  }

  /** The next state that is right, told or still to be told. @throws Error where none is told in time */
  async next(isRight: (state: string) => boolean, patienceMs: number): Promise<{ readonly state: string; readonly tookMs: number }> {
    const began = performance.now();
    let last = 'nothing';
    for (;;) {
      for (let state = this.#states.shift(); state !== undefined; state = this.#states.shift()) {
        last = state;
        if (isRight(state)) return { state, tookMs: Math.round(performance.now() - began) };
      }
      const leftMs = began + patienceMs - performance.now();
      if (this.#failure !== undefined || leftMs <= 0) throw new Error(this.#failure ?? `the last that a watcher was told of ${PRESENT_PERSON} is ${last}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  close(): void {
    this.#request.destroy();
  }

  #read(chunk: string): void {
    this.#text += chunk;
    const events = this.#text.split('\n\n');
    this.#text = events.pop()!;
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data === undefined) continue;
      const { address, state } = JSON.parse(data) as { readonly address?: unknown; readonly state?: unknown };
      if (address === PRESENT_PERSON) this.#states.push(String(state));
    }
    this.#wake();
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    this.#wake();
  }
}
