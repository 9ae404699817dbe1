import { monitorEventLoopDelay } from 'node:perf_hooks';
import { BridgeAddressBook } from '../../src/bridge-address-book.ts';
import { processEnvironment } from '../../src/config/environment.ts';
import { loadConfig } from '../../src/config/load.ts';
import { BackEnds } from '../../src/protocols/back-ends.ts';
import { systemClock } from '../../src/core/clock.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { Requester } from '../../src/core/request-context.ts';
import { answerMessages } from './child-process.ts';
import { RESULTS } from './gal-questions.ts';
import { usedBytes } from './used-bytes.ts';

/** The address book of a configuration, loaded from its dataDir without writing there; then searches. */
export interface GalInProcessWork {
  readonly configFile: string;
  readonly questions: readonly (readonly string[])[];
}

export interface GalInProcessResult {
  readonly entries: number;
  readonly loadMs: number;
  readonly loadCpuMs: number;
  /** The longest hold of the event loop meanwhile. */
  readonly holdMs: number;
  /** Heap and array buffers of all that is kept, after collection. */
  readonly bytes: number;
  /** Of each list of questions, in ms. */
  readonly latencies: readonly (readonly number[])[];
}

const SEARCHES = 2_000;
const ASKER: Requester = { name: 'bench', username: 'bench', from: 'outside', mayAsk: new Set<string>(), detail: 'none', anonymous: false, presence: 'none', gal: 'sync' };

answerMessages(async ({ configFile, questions }: GalInProcessWork): Promise<GalInProcessResult> => {
  const config = await loadConfig(configFile, processEnvironment());
  const book = new BridgeAddressBook(config, { backEnds: new BackEnds({ clock: systemClock, logger: silentLogger }), clock: systemClock, logger: silentLogger });
  const before = usedBytes();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  await book.load({ isReadOnly: true });
  const loadMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  const bytes = usedBytes() - before;
  const directory = book.directory(config.gal);
  const latencies = questions.map((texts) => {
    const times: number[] = [];
    for (let number = 0; number < SEARCHES; number++) {
      const asked = performance.now();
      // Longer than the questions whose answers are kept: every one is searched.
      const text = texts[number % texts.length]!.padEnd(LIMITS.keptSearchCharacters + 1);
      if (directory.search({ text, limit: RESULTS }, ASKER).entries.length === 0) throw new Error(`nobody begins with ${text}`);
      times.push(performance.now() - asked);
    }
    return times;
  });
  return { entries: book.status()?.entries ?? 0, loadMs, loadCpuMs: (user + system) / 1000, holdMs: delay.max / 1e6, bytes, latencies };
});
