import { BridgeError, toBridgeError } from '../core/errors.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { PrivacyService } from '../freebusy/privacy.ts';
import type { GalStatus } from '../gal/source-status.ts';
import type { ControlAnswer, ControlHandler } from '../platform/control-socket.ts';
import { OpenListings } from './open-listings.ts';
import { encodeError } from './over-socket/error.ts';
import { decodeMailbox, encodeOutcome } from './over-socket/push-outcome.ts';
import { isRecord, readEach } from './over-socket/record.ts';
import type { JsonRecord } from './over-socket/record.ts';
import { isPresenceCommand, runPresenceCommand } from './presence/presence-control.ts';
import type { ControlledPresence } from './presence/presence-control.ts';
import { isPrivacyCommand, runPrivacyCommand } from './privacy/privacy-control.ts';
import { probeContext } from './probe-context.ts';
import type { Replicating } from './replicating.ts';

/** What the running bridge lends to the commands. */
export interface ControlSurroundings {
  readonly reload: () => Promise<ControlAnswer>;
  /** Of the configuration in force; undefined where it replicates nothing. */
  readonly replication: () => Replicating | undefined;
  /** How it stands with its address book; undefined where it keeps none. */
  readonly gal: () => GalStatus | undefined;
  /** Its presence; absent: it has none. */
  readonly presence?: () => ControlledPresence | undefined;
  /** Who is hidden; absent: nobody can be. */
  readonly privacy?: () => PrivacyService;
}

/** What a bridge and its commands say to each other over the control socket, as the bridge answers it. */
export class ControlCommands {
  readonly #surroundings: ControlSurroundings;
  readonly #listings = new OpenListings();

  constructor(surroundings: ControlSurroundings) {
    this.#surroundings = surroundings;
  }

  readonly handle: ControlHandler = async (command, body, signal) => {
    const name = /^POST \/(.*)$/.exec(command)?.[1] ?? '';
    if (name === 'ping') return { ok: true, lines: ['running'], data: { replicates: this.#surroundings.replication() !== undefined } };
    if (name === 'reload') return this.#surroundings.reload();
    if (name === 'gal/status') return { ok: true, lines: [], data: { status: this.#surroundings.gal() } };
    if (isPresenceCommand(name)) {
      const presence = this.#surroundings.presence?.();
      if (presence === undefined) return { ok: false, isMisconfigured: true, lines: ['the running bridge has no presence'] };
      return answered(() => runPresenceCommand(name, presence, body, this.#listings));
    }
    if (isPrivacyCommand(name) && this.#surroundings.privacy !== undefined) {
      const privacy = this.#surroundings.privacy();
      return answered(() => runPrivacyCommand(name, privacy, body));
    }
    const run = Object.hasOwn(OF_REPLICATION, name) ? OF_REPLICATION[name] : undefined;
    if (run === undefined) return { ok: false, lines: ['the running bridge does not know this command: it is another version; restart it'] };
    const replication = this.#surroundings.replication();
    if (replication === undefined) return { ok: false, isMisconfigured: true, lines: [REPLICATES_NOTHING] };
    return answered(() => run(replication, isRecord(body) ? body : {}, signal, this.#listings));
  };

  /** Ends what listings are still open. */
  async close(): Promise<void> {
    await this.#listings.close();
  }
}

async function answered(work: () => Promise<unknown>): Promise<ControlAnswer> {
  try {
    return { ok: true, lines: [], data: await work() };
  } catch (thrown) {
    const error = toBridgeError(thrown);
    return { ok: false, lines: [error.publicMessage], data: { error: encodeError(error) } };
  }
}

export const REPLICATES_NOTHING = 'this configuration replicates nothing: it has no `replication:`';

type RunCommand = (replication: Replicating, body: JsonRecord, signal: AbortSignal, listings: OpenListings) => Promise<unknown>;

const OF_REPLICATION: Readonly<Record<string, RunCommand>> = {
  /** `{mailbox, dryRun}` → `{outcomes}` */
  push: async (replication, { mailbox, dryRun }, signal) => {
    const outcomes = await replication.push(decodeMailbox(mailbox) ?? malformed(), { dryRun: dryRun === true, signal });
    return { outcomes: outcomes.map(encodeOutcome) };
  },
  /** `{}`, then `{cursor}` for as long as one comes back → `{mailboxes, cursor?}` */
  everyone: async (replication, { cursor }, _signal, listings) => {
    if (cursor === undefined) return listings.begin((signal) => replication.everyone(signal));
    return listings.next(typeof cursor === 'string' ? cursor : malformed());
  },
  /** `{}` → a QueueReport */
  queue: async (replication) => replication.queue(),
  /** `{mailboxes}`, or `{mailboxes: "all"}` → `{count}` */
  'queue/retry': async (replication, { mailboxes }) => ({ count: await replication.retry(whichOf(mailboxes)) }),
  'queue/drop': async (replication, { mailboxes }) => ({ count: await replication.drop(whichOf(mailboxes)) }),
  /** `{}` → `{probed}` */
  probe: async (replication, _body, signal) => ({ probed: await replication.probe(probeContext(signal)) }),
};

function whichOf(data: unknown): readonly MailboxAddress[] | 'all' {
  return data === 'all' ? data : (readEach(data, decodeMailbox) ?? malformed());
}

function malformed(): never {
  throw new BridgeError('INVALID_REQUEST', 'the command cannot be read');
}
