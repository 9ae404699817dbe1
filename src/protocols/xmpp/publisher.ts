import type { Clock } from '../../core/clock.ts';
import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/logger.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { domainOf } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from '../../presence/presence.ts';
import type { PresencePublisher } from '../../presence/publisher.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { XmlText } from '../../platform/xml/write.ts';
import { ACTIVITIES, NO_ACTIVITY, decodeActivity, encodeActivity } from '../user-activity/activity.ts';
import { askAsUser, missingPrivilege } from './as-user.ts';
import { ComponentClient } from './component-client.ts';
import type { ComponentAccount } from './component-stream.ts';
import { hasJid, jidOf } from '../user-activity/jid.ts';
import { PUBSUB_NS } from './names.ts';
import type { IqType, Privileges } from './privilege.ts';
import { probeComponent } from './probe.ts';
import { decodeLastItem, encodeLastItem, encodePublish, encodeRetract } from './pubsub.ts';
import type { LastItem } from './pubsub.ts';

export interface XmppPublisherOptions extends ComponentAccount {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Shows availability as user activity (XEP-0108) on the users' own nodes (XEP-0163), as a component (XEP-0114) that the server lets act for them (XEP-0356). The JID is the mail address.
 *
 * Everything published outlasts the connection, and a restart of most servers; `onLost` is called all the same, because some hold it in memory only.
 */
export class XmppPublisher implements PresencePublisher {
  readonly label: string;
  readonly pace = LIMITS.presenceXmppPace;
  readonly #options: XmppPublisherOptions;
  readonly #client: ComponentClient;

  constructor(options: XmppPublisherOptions) {
    const { component, server } = options;
    const host = server.host.includes(':') ? `[${server.host}]` : server.host;
    this.label = `xmpp ${host}:${server.port} as ${component}`;
    this.#options = options;
    this.#client = new ComponentClient({ ...options, label: this.label });
  }

  start(onLost: () => void): void {
    this.#client.start(onLost);
  }

  async publish(mailbox: MailboxAddress, shown: ShownPresence, signal: AbortSignal): Promise<void> {
    if (ACTIVITIES[shown.state] === 'withdrawn') await this.#withdraw(mailbox, signal);
    else await this.#ask(mailbox, 'set', encodePublish(encodeActivity(shown)), signal);
  }

  /** Watchers are told by an empty activity, then nothing stays for those who come later. A user who is not there has nothing to take away. */
  async withdraw(mailbox: MailboxAddress, signal: AbortSignal): Promise<void> {
    // Nothing was ever published about somebody without a JID.
    if (!hasJid(mailbox)) return;
    try {
      await this.#withdraw(mailbox, signal);
    } catch (error) {
      if (!(error instanceof BridgeError) || error.code !== 'MAILBOX_UNKNOWN') throw error;
    }
  }

  async observe(mailbox: MailboxAddress, signal: AbortSignal): Promise<PresenceState | undefined> {
    const item = await this.#lastItem(mailbox, signal);
    return item?.activity === undefined ? undefined : decodeActivity(item.activity);
  }

  async probe(signal: AbortSignal): Promise<readonly ProbeFinding[]> {
    return probeComponent(this.#options, this.#client.isOnline ? this.#client : undefined, signal);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** In this order, a try that ends in the middle is made good by the next one. */
  async #withdraw(mailbox: MailboxAddress, signal: AbortSignal): Promise<void> {
    if (await this.#mayBeShown(mailbox, signal)) await this.#ask(mailbox, 'set', encodePublish(NO_ACTIVITY), signal);
    await unlessNotFound(this.#ask(mailbox, 'set', encodeRetract(), signal));
  }

  /** Whether what is shown is ours; what the person has published since is left alone. Where nothing may be read, it is taken for ours. */
  async #mayBeShown(mailbox: MailboxAddress, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#lastItem(mailbox, signal))?.isOurs === true;
    } catch (error) {
      if (error instanceof BridgeError && error.code === 'UNSUPPORTED') return true;
      throw error;
    }
  }

  async #lastItem(mailbox: MailboxAddress, signal: AbortSignal): Promise<LastItem | undefined> {
    const answer = await unlessNotFound(this.#ask(mailbox, 'get', encodeLastItem(), signal));
    return answer === undefined ? undefined : decodeLastItem(answer);
  }

  async #ask(mailbox: MailboxAddress, type: IqType, payload: XmlText, signal: AbortSignal): Promise<XmlElement> {
    const jid = jidOf(mailbox);
    const { component } = this.#options;
    const privileges = await this.#client.privilegesOf(domainOf(mailbox), signal);
    if (privileges?.iq.get(PUBSUB_NS)?.has(type) !== true) throw this.#missing(type, privileges, domainOf(mailbox));
    return askAsUser(this.#client, { component, jid, type }, payload, signal);
  }

  /** Where other hosts grant it, the server as a whole is not to blame: it may not even have that host. */
  #missing(type: IqType, privileges: Privileges | undefined, host: string): BridgeError {
    const error = missingPrivilege(type, privileges, this.#options.component, host);
    return error.code === 'BACKEND_AUTH' && this.#client.isGranted(PUBSUB_NS, type) ? new BridgeError('MAILBOX_REFUSED', error.publicMessage, { details: error.details }) : error;
  }
}

/** Undefined where there is no such node or item. */
async function unlessNotFound(asked: Promise<XmlElement>): Promise<XmlElement | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof BridgeError && error.details['reason'] === 'item-not-found') return undefined;
    throw error;
  }
}
