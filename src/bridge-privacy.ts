import { join } from 'node:path';
import type { Config } from './config/config.ts';
import type { Audit } from './core/audit.ts';
import type { Clock } from './core/clock.ts';
import { toBridgeError } from './core/errors.ts';
import type { Logger } from './core/logger.ts';
import { Homes } from './directory/homes.ts';
import type { MailboxAddress } from './directory/smtp-address.ts';
import type { Whereabouts } from './directory/whereabouts.ts';
import { Exclusions } from './privacy/exclusions.ts';
import { OptOutFile } from './privacy/opt-out-file.ts';
import type { ReplicationAgent } from './replication/agent.ts';

export interface BridgePrivacyOptions {
  readonly audit: Audit;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Where opt-outs are kept below dataDir. */
const OPT_OUTS_FILE = join('privacy', 'opt-outs');

/** Wires privacy: who has opted out lives as long as the process, who is hidden as long as a configuration. */
export class BridgePrivacy {
  readonly #options: BridgePrivacyOptions;
  #file: OptOutFile | undefined;
  #exclusions: Exclusions | undefined;

  constructor(options: BridgePrivacyOptions) {
    this.#options = options;
  }

  /** Reads who has opted out; once. @param isReadOnly beside a bridge that may run @throws BridgeError CONFIGURATION where that cannot be read as a whole */
  async open({ dataDir }: Config, { isReadOnly = false }: { readonly isReadOnly?: boolean } = {}): Promise<void> {
    this.#file ??= await OptOutFile.open(join(dataDir, OPT_OUTS_FILE), { isReadOnly });
  }

  /** Who is hidden by this configuration. */
  exclusionsOf(config: Config, book: { readonly whereabouts: Whereabouts; readonly revision: number }): Exclusions {
    const homes = new Homes(config.systems);
    const { whereabouts } = book;
    const homeOf = (mailbox: MailboxAddress): ReturnType<Homes['of']> => homes.of(mailbox, whereabouts.find(mailbox));
    return new Exclusions({
      ...this.#options,
      exclude: config.privacy.exclude,
      optOuts: () => this.#file,
      resolve: (mailbox) => {
        const decision = homeOf(mailbox);
        // Where the directories contradict each other, or no system has it, they may still know who it is.
        return decision.home === undefined ? (whereabouts.find(mailbox)?.address ?? mailbox) : decision.address;
      },
      expand: (group, most) => whereabouts.expand(group, most),
      isKnown: (mailbox) => homeOf(mailbox).home !== undefined || whereabouts.find(mailbox) !== undefined,
      revision: () => book.revision,
    });
  }

  /** Puts them in force: what they hide of what was published is taken away, and what they no longer hide is published. */
  apply(exclusions: Exclusions, config: Config, agentOf: () => ReplicationAgent | undefined): void {
    const former = this.#exclusions;
    this.#exclusions = exclusions;
    const tell = (mailboxes: readonly MailboxAddress[]): void => publishAnew(config, agentOf, this.#options.logger, mailboxes);
    exclusions.watch(tell);
    const changed = former === undefined ? [] : exclusions.differenceTo(former);
    former?.close();
    if (changed.length > 0) tell(changed);
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.#exclusions?.close();
    await this.#file?.close();
  }
}

/** Nobody waits for it: what cannot be stored now, the next pass over everybody finds. */
function publishAnew(config: Config, agentOf: () => ReplicationAgent | undefined, logger: Logger, mailboxes: readonly MailboxAddress[]): void {
  for (const system of new Set(config.replication.map(({ from }) => from))) {
    agentOf()
      ?.changed(system, 'privacy', mailboxes)
      .catch((thrown: unknown) => logger.warn({ system, code: toBridgeError(thrown).code, mailboxes: mailboxes.length }, 'somebody was excluded or opted out, and it could not be stored for the replication; the next pass finds it'));
  }
}
