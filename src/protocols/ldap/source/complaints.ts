import type { Logger } from '../../../core/logger.ts';

/** What was cut or left out of a directory's entries: each reason is told once between two whole readings, with the first entry that it was about. */
export class Complaints {
  readonly #logger: Logger;
  readonly #label: string;
  readonly #told = new Set<string>();

  constructor(logger: Logger, label: string) {
    this.#logger = logger;
    this.#label = label;
  }

  /** @param dn of the entry */
  hear(reason: string, dn: string, level: 'debug' | 'warn' = 'debug'): void {
    if (this.#told.has(reason)) return;
    this.#told.add(reason);
    this.#logger[level]({ system: this.#label, protocol: 'ldap', reason }, `${reason}, first at ${dn.slice(0, 200)}`);
  }

  /** A whole reading begins. */
  forget(): void {
    this.#told.clear();
  }
}
