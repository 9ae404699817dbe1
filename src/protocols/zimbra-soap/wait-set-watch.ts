import { pauseAfter as pauseAfterFailures } from '../../core/back-off.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { LogFields, Logger } from '../../core/logger.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { groupsOf } from '../../freebusy/ask-in-parts.ts';
import type { ChangeNotice, FeedMemory } from '../../freebusy/change-feed.ts';
import { isAboutAccounts } from './account-lookup.ts';
import type { ZimbraRoster } from './accounts.ts';
import type { ZimbraAdmin } from './admin-client.ts';
import { pauseAfter } from './feed-pause.ts';
import type { Pause } from './feed-pause.ts';
import { judgeWaitSet } from './wait-set-fault.ts';
import {
  decodeCreateWaitSetResponse,
  decodePlace,
  decodeWaitSetResponse,
  encodeCreateWaitSetRequest,
  encodeDestroyWaitSetRequest,
  encodePlace,
  encodeWaitSetRequest,
} from './wait-set.ts';
import type { WaitSetAnswer, WaitSetPlace } from './wait-set.ts';

export interface WaitSetWatchOptions {
  /** The system's name. */
  readonly system: string;
  readonly admin: ZimbraAdmin;
  /** Admin SOAP address of the mail store. */
  readonly at: URL;
  readonly roster: ZimbraRoster;
  readonly memory: FeedMemory;
  readonly logger: Logger;
  readonly pause: Pause;
  /** How long the server may keep a poll open, and how much longer we wait for its answer. */
  readonly blockMs: number;
  readonly patienceMs: number;
  readonly onChange: (notice: ChangeNotice) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * One mail store's WaitSet, polled until the signal fires. **At least once:** the sequence that acknowledges a batch is stored and sent
 * only after every mailbox of the batch was taken; a batch that was not is signalled again by the server, also to the next process.
 */
export class WaitSetWatch {
  readonly #options: WaitSetWatchOptions;
  readonly #key: string;
  #place: WaitSetPlace | undefined;
  /** Why a new set is needed while there is none. */
  #reason = 'the first start';
  #failures = 0;
  #doubts = 0;
  #canceled = 0;
  #hasAnswered = false;

  constructor(options: WaitSetWatchOptions) {
    this.#options = options;
    this.#key = `${options.system}/waitset/${options.at.host}`;
  }

  /** The server has answered the last poll as it should. One that is away since then is noticed at the end of the poll under way. */
  get isHearing(): boolean {
    return this.#hasAnswered && this.#place !== undefined && this.#failures + this.#doubts + this.#canceled === 0;
  }

  /** Resolves after the signal has fired; never rejects. The set stays on the server: the next process goes on with it. */
  async run(): Promise<void> {
    const { signal, pause } = this.#options;
    let isLoaded = false;
    while (!signal.aborted) {
      const began = performance.now();
      try {
        if (!isLoaded) await this.#load();
        isLoaded = true;
        await this.#step();
        if (this.#failures > 0) this.#log('info', { attempt: this.#failures }, 'changes are heard again');
        this.#failures = 0;
        await pause(LIMITS.waitSetPaceMs - (performance.now() - began), signal);
      } catch (thrown) {
        if (!signal.aborted) await this.#rest(toBridgeError(thrown));
      }
    }
  }

  async #load(): Promise<void> {
    const text = await untilAborted(this.#options.memory.load(this.#key), this.#options.signal);
    this.#place = text === undefined ? undefined : decodePlace(text);
    if (text !== undefined && this.#place === undefined) this.#reason = 'the stored place in the WaitSet is unreadable';
  }

  async #step(): Promise<void> {
    const place = this.#place ?? (await this.#begin(this.#reason));
    let answer: WaitSetAnswer;
    try {
      answer = await this.#poll(place);
    } catch (thrown) {
      await this.#doubt(toBridgeError(thrown), place);
      throw thrown;
    }
    this.#doubts = 0;
    this.#hasAnswered = true;
    if (answer.kind === 'canceled') return this.#yield();
    this.#canceled = 0;
    const { seq, accounts, errors } = answer;
    if (errors.length > 0) this.#log('warn', { reason: errors.join(', ') }, 'the WaitSet reports accounts that it cannot watch');
    if (accounts.size > LIMITS.waitSetAccounts) {
      await this.#tell({ kind: 'resync', reason: `one answer named ${accounts.size} accounts` });
    } else {
      await this.#tellOf(accounts);
    }
    if (seq !== place.seq) await this.#keep({ waitSet: place.waitSet, seq });
  }

  async #poll(place: WaitSetPlace): Promise<WaitSetAnswer> {
    const { admin, at, signal, blockMs, patienceMs } = this.#options;
    return decodeWaitSetResponse(await admin.call(encodeWaitSetRequest(place, Math.round(blockMs / 1000)), signal, at, blockMs + patienceMs));
  }

  /** A new set, from which on nothing is missed; what was before it has to be read again. */
  async #begin(reason: string): Promise<WaitSetPlace> {
    const { admin, at, signal } = this.#options;
    const place = decodeCreateWaitSetResponse(await admin.call(encodeCreateWaitSetRequest(), signal, at));
    this.#log('info', { reason }, 'a new WaitSet: every mailbox is read again');
    await this.#tell({ kind: 'resync', reason: `${at.hostname}: ${reason}` });
    await this.#keep(place);
    return place;
  }

  async #doubt(error: BridgeError, place: WaitSetPlace): Promise<void> {
    const { signal } = this.#options;
    const judgement = signal.aborted ? 'passing' : judgeWaitSet(error);
    if (judgement === 'passing') return;
    this.#doubts += 1;
    if (judgement === 'doubtful' && !isTimeForNew(this.#doubts)) return;
    const reason = `the WaitSet is lost (${String(error.details['fault'] ?? error.code)})`;
    if (judgement === 'lost') {
      this.#place = undefined;
      this.#reason = reason;
    } else {
      // The old place is kept until there is a new one: where the server is only ill, it may still be good.
      await this.#begin(reason);
    }
    await this.#destroy(place);
  }

  /** Two pollers on one set would chase each other off it; where that goes on, this one gets a set of its own, and less and less often. */
  async #yield(): Promise<void> {
    this.#canceled += 1;
    if (this.#canceled === 1) this.#log('warn', {}, 'somebody else polls the same WaitSet: is there a second bridge with the same store?');
    if (isTimeForNew(this.#canceled)) await this.#begin('somebody else polls the same WaitSet');
    await this.#options.pause(pauseAfter(CANCELED, this.#canceled), this.#options.signal);
  }

  async #tellOf(ids: ReadonlySet<string>): Promise<void> {
    const { roster, signal, pause } = this.#options;
    let waiting = ids;
    for (let failures = 0, unseen = 0; waiting.size > 0; ) {
      const told = new Set<string>();
      try {
        for await (const named of roster.named(waiting, signal)) {
          if (named.mailboxes.length > 0) await this.#tell({ kind: 'changed', mailboxes: named.mailboxes });
          for (const id of named.ids) told.add(id);
        }
        return;
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        waiting = new Set([...waiting].filter((id) => !told.has(id)));
        const error = toBridgeError(thrown);
        const isAbout = isAboutAccounts(error);
        failures += 1;
        if (isAbout) unseen += 1;
        this.#log('warn', { code: error.code, reason: reasonOf(error), count: waiting.size, attempt: failures }, 'changed accounts cannot be looked up: nothing is acknowledged');
        // One account that the server cannot show must not hold up all others for ever.
        if (unseen >= LIMITS.waitSetTimesBeforeNew) return this.#tellUnseen(waiting, error);
        await pause(isAbout ? pauseAfterFailures(failures, LIMITS.feedPauses) : pauseAfter(error, failures), signal);
      }
    }
  }

  /** By the addresses they had when they were last seen; for one that never was, everybody. */
  async #tellUnseen(unseen: ReadonlySet<string>, error: BridgeError): Promise<void> {
    const { ids, mailboxes } = this.#options.roster.remembered(unseen);
    if (mailboxes.length > 0) await this.#tell({ kind: 'changed', mailboxes });
    if (ids.length < unseen.size) await this.#tell({ kind: 'resync', reason: `changed accounts cannot be looked up (${reasonOf(error)})` });
  }

  /** Tells it until it is taken. @throws BridgeError when the signal fires: then it is told by the next process */
  async #tell(notice: ChangeNotice): Promise<void> {
    const { onChange, signal } = this.#options;
    await this.#untilTaken('changes cannot be stored: the WaitSet waits', async () => {
      const parts: readonly ChangeNotice[] = notice.kind === 'changed' ? groupsOf(notice.mailboxes, LIMITS.zimbraAccountsPerPage).map((mailboxes) => ({ kind: 'changed', mailboxes })) : [notice];
      for (const part of parts) await untilAborted(onChange(part), signal);
    });
  }

  async #keep(place: WaitSetPlace): Promise<void> {
    const { memory, signal } = this.#options;
    await this.#untilTaken('the place in the WaitSet cannot be stored', async () => untilAborted(memory.save(this.#key, encodePlace(place)), signal));
    this.#place = place;
  }

  async #untilTaken(complaint: string, give: () => Promise<void>): Promise<void> {
    const { signal, pause } = this.#options;
    for (let failures = 1; ; failures++) {
      try {
        return await give();
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        const error = toBridgeError(thrown);
        this.#log('warn', { code: error.code, reason: reasonOf(error), attempt: failures }, complaint);
        await pause(pauseAfter(error, failures), signal);
        if (signal.aborted) throw error;
      }
    }
  }

  /** A set that nobody polls dies by itself after 20 minutes; this only spares the server the wait. */
  async #destroy({ waitSet }: WaitSetPlace): Promise<void> {
    const { admin, at, signal } = this.#options;
    try {
      await admin.call(encodeDestroyWaitSetRequest(waitSet), signal, at, LIMITS.logonTimeoutMs);
    } catch (thrown) {
      this.#log('debug', { code: toBridgeError(thrown).code }, 'the old WaitSet could not be destroyed');
    }
  }

  async #rest(error: BridgeError): Promise<void> {
    const { pause, signal } = this.#options;
    this.#failures += 1;
    const isLost = this.#place === undefined && judgeWaitSet(error) === 'lost';
    // A lost set is replaced at once; only where that goes on is the server given time.
    if (this.#failures === 1 && isLost) return;
    this.#log('warn', { code: error.code, reason: reasonOf(error), attempt: this.#failures }, 'changes cannot be heard at present');
    await pause(isLost ? pauseAfterFailures(this.#failures, LIMITS.waitSetLostPauses) : pauseAfter(error, this.#failures), signal);
  }

  #log(level: 'debug' | 'info' | 'warn', fields: LogFields, message: string): void {
    const { logger, system, at } = this.#options;
    logger[level]({ system, protocol: 'zimbra-soap', operation: 'WaitSet', address: at.host, ...fields }, message);
  }
}

/** The third time in a row, the sixth, the twelfth…: a new set costs a pass over everybody, and where it did not help, the next one hardly will. */
function isTimeForNew(times: number): boolean {
  return Number.isInteger(Math.log2(times / LIMITS.waitSetTimesBeforeNew));
}

const CANCELED = new BridgeError('BACKEND_BUSY', 'somebody else polls the same WaitSet', { temporary: true });

function reasonOf({ details, publicMessage }: BridgeError): string {
  const said = details['fault'] ?? details['status'] ?? details['reason'];
  return said === undefined ? publicMessage : `${publicMessage} (${String(said)})`;
}
