import type { Logger } from '../../core/logger.ts';
import type { RedisConnection } from './redis-store.ts';
import { reasonOf } from './store-unavailable.ts';

/** Tells the log once that Redis went away and once that it is back, however many connections try again and how often. */
export class Outage {
  readonly #logger: Logger;
  readonly #away = new Set<RedisConnection>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Listens to a connection; without a listener ioredis writes its errors to the console. */
  watch(connection: RedisConnection): void {
    connection.on('error', (error: unknown) => {
      const isNew = this.#away.size === 0;
      this.#away.add(connection);
      if (isNew) this.#logger.warn({ code: 'STORE_UNAVAILABLE', reason: reasonOf(error) }, 'Redis is away: changes are refused until it is back');
    });
    connection.on('ready', () => this.#isBack(connection, true));
    connection.on('end', () => this.#isBack(connection, false));
  }

  #isBack(connection: RedisConnection, isWorthALine: boolean): void {
    if (this.#away.delete(connection) && this.#away.size === 0 && isWorthALine) this.#logger.info({}, 'Redis is back');
  }
}
