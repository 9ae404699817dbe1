import { randomBytes } from 'node:crypto';
import type { Clock, Instant } from '../core/clock.ts';
import { LIMITS } from '../core/limits.ts';
import { LogLines } from '../core/log-lines.ts';

/** `["b", book, since]`, then `["-", row id, at]` */
type Line = readonly ['b', string, Instant] | readonly ['-', string, Instant];

interface Departure {
  readonly id: string;
  readonly at: Instant;
}

/** The rows that have left the address book, or that a record has left, for those who keep a copy of it; and which address book this is. */
export class Departures {
  readonly #path: string;
  readonly #clock: Clock;
  #lines: LogLines | undefined;
  #book = '';
  #since: Instant = 0;
  #gone: Departure[] = [];
  /** The file lacks some, or has too many. */
  #isBehind = false;
  /** What is written last: several sources tell of departures. */
  #last: Promise<void> = Promise.resolve();

  private constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Only in memory: another address book, known to nobody. */
  static inMemory(clock: Clock): Departures {
    const departures = new Departures('', clock);
    departures.#begin();
    return departures;
  }

  /** @param isTrusted false where records were lost: then it is another address book */
  static async open(path: string, clock: Clock, isTrusted: boolean): Promise<Departures> {
    const departures = new Departures(path, clock);
    const lines = isTrusted ? await LogLines.read(path, (values) => departures.#take(values.map(decodeLine))) : undefined;
    const oldest = clock.now() - LIMITS.departuresKeptMs;
    const isCurrent = lines !== undefined && departures.#book !== '' && departures.#gone.length <= LIMITS.departuresKept && (departures.#gone[0]?.at ?? Infinity) > oldest;
    if (isCurrent) departures.#lines = lines;
    else await departures.#rewrite(oldest, isTrusted && lines !== undefined && departures.#book !== '');
    return departures;
  }

  /** 16 hexadecimal digits. */
  get book(): string {
    return this.#book;
  }

  /** Whoever left, or lost something, at `at` or later; undefined where not all of them are remembered. */
  after(at: Instant): readonly string[] | undefined {
    return at < this.#since ? undefined : this.#gone.filter((one) => one.at >= at).map(({ id }) => id);
  }

  /** Remembers them; written down for good by `settle`. @throws the system's error: then they are remembered all the same, and written with the next `settle` */
  async add(ids: readonly string[], at: Instant): Promise<void> {
    for (const id of ids) this.#gone.push({ id, at });
    if (this.#gone.length > 2 * LIMITS.departuresKept) this.#isBehind = true;
    await this.#inTurn(async () => {
      if (this.#isBehind) return;
      try {
        await this.#lines?.append(ids.map((id): Line => ['-', id, at]));
      } catch (error) {
        this.#isBehind = true;
        throw error;
      }
    });
  }

  /** Everything that was added is on disk after it. @throws the system's error */
  async settle(): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#isBehind && this.#path !== '') await this.#rewrite(this.#clock.now() - LIMITS.departuresKeptMs, true);
      await this.#lines?.sync();
    });
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => this.#lines?.close());
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    await turn;
  }

  #take(lines: readonly Line[]): void {
    for (const line of lines) {
      if (line[0] === 'b') [, this.#book, this.#since] = line;
      else this.#gone.push({ id: line[1], at: line[2] });
    }
  }

  #begin(): void {
    this.#book = randomBytes(8).toString('hex');
    this.#since = this.#clock.now();
    this.#gone = [];
  }

  async #rewrite(oldest: Instant, isSameBook: boolean): Promise<void> {
    if (isSameBook) {
      const kept = this.#gone.filter(({ at }) => at > oldest).slice(-LIMITS.departuresKept / 2);
      if (kept.length < this.#gone.length) this.#since = Math.max(this.#since, oldest, (kept[0]?.at ?? this.#clock.now()) + 1);
      this.#gone = kept;
    } else this.#begin();
    const lines = await LogLines.replace(this.#path, (fresh) => fresh.append([['b', this.#book, this.#since] satisfies Line, ...this.#gone.map(({ id, at }): Line => ['-', id, at])]));
    const old = this.#lines;
    this.#lines = lines;
    this.#isBehind = false;
    await old?.close();
  }
}

/** @throws SyntaxError for what is no line of ours */
function decodeLine(value: unknown): Line {
  const [kind, text, instant] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if ((kind !== 'b' && kind !== '-') || typeof text !== 'string' || !Number.isSafeInteger(instant)) throw new SyntaxError('no line of this log');
  return value as Line;
}
