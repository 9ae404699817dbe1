import { SECOND_MS } from '../core/clock.ts';
import { durationInWords } from './duration-words.ts';
import type { Terminal } from './terminal.ts';

const ON_TERMINAL_MS = 100;
const IN_LOG_MS = 5 * SECOND_MS;

/** How far a long push has come: one line that changes where somebody watches, else a line every five seconds. */
export class PushProgress {
  readonly #terminal: Terminal;
  readonly #begun = performance.now();
  readonly #everyMs: number;
  #shownAt: number;
  #total = 0;
  #done = 0;
  #failed = 0;
  #pushingSince = this.#begun;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#everyMs = terminal.progress === undefined ? IN_LOG_MS : ON_TERMINAL_MS;
    this.#shownAt = this.#begun;
  }

  get failed(): number {
    return this.#failed;
  }

  get duration(): string {
    return durationInWords(performance.now() - this.#begun);
  }

  listed(mailboxes: number): void {
    this.#show(() => `${mailboxes} mailboxes found`);
  }

  begin(total: number): void {
    this.#total = total;
    this.#pushingSince = performance.now();
  }

  pushed(isFailed: boolean): void {
    this.#done++;
    if (isFailed) this.#failed++;
    this.#show(() => {
      const seconds = Math.max((performance.now() - this.#pushingSince) / SECOND_MS, 0.001);
      return `${this.#done}/${this.#total}, ${this.#failed} failed, ${(this.#done / seconds).toFixed(1)}/s`;
    });
  }

  close(): void {
    this.#terminal.progress?.('');
  }

  #show(text: () => string): void {
    const now = performance.now();
    if (now - this.#shownAt < this.#everyMs) return;
    this.#shownAt = now;
    (this.#terminal.progress ?? this.#terminal.complain)(text());
  }
}
