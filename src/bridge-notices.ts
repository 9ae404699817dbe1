import type { Config } from './config/config.ts';
import { BridgeError, toBridgeError } from './core/errors.ts';
import type { Logger } from './core/logger.ts';
import { parseMailboxAddress } from './directory/smtp-address.ts';
import type { MailboxAddress } from './directory/smtp-address.ts';
import type { Whereabouts } from './directory/whereabouts.ts';
import type { ChangeNotice } from './freebusy/change-feed.ts';
import type { Routing } from './lookup/routing.ts';
import type { NotifyFeed } from './protocols/notify/endpoint.ts';
import type { PushedMessages } from './protocols/schedule-plus/pushed-messages.ts';
import type { AdminQueue } from './protocols/rest-api/admin-queue.ts';
import { mailboxOfLegacyExchangeDn } from './protocols/schedule-plus/legacy-exchange-dn.ts';
import type { ReplicationAgent } from './replication/agent.ts';
import { encodeQueueReport } from './replication/report.ts';

/** The agent in force; undefined where nothing is replicated, and for the moment before it is opened. */
type AgentOf = () => ReplicationAgent | undefined;

/** Who else wants to know of what was told and stored: presence reads those calendars again. */
type OnHeard = (system: string, notice: ChangeNotice) => void;

/** What `POST /notify` tells: stored where the mailbox's home is replicated from; what is kept of it is forgotten everywhere. */
export function notifyFeed(config: Config, routing: Routing, agentOf: AgentOf, onHeard: OnHeard): NotifyFeed {
  const froms = new Set(config.replication.map(({ from }) => from));
  // Told under an alias, read and written under the primary address.
  const addressOf = (mailbox: MailboxAddress): MailboxAddress => {
    const route = routing.route(mailbox);
    return route.home === undefined ? mailbox : route.address;
  };
  return {
    homeOf: (mailbox) => routing.route(mailbox).home?.name,
    changed: async (system, told) => {
      const mailboxes = [...new Set(told.map(addressOf))];
      if (froms.has(system)) await changed(agentOf, system, 'notify', mailboxes);
      onHeard(system, { kind: 'changed', mailboxes });
    },
  };
}

/** What a stock Zimbra's own push tells. Undefined where nothing is replicated: a push is then no path of ours. */
export function pushedMessages(config: Config, routing: Routing, whereabouts: Whereabouts, agentOf: AgentOf, onHeard: OnHeard): PushedMessages | undefined {
  if (config.replication.length === 0) return undefined;
  return {
    // Whoever was published under this name before; else whom the directory means, else the template.
    mailboxOf: async (legacyExchangeDn, from) => {
      const published = await agentOf()?.mailboxOfIdentity(legacyExchangeDn, from);
      const known = published === undefined ? whereabouts.mailboxOfDn(legacyExchangeDn) : undefined;
      return published ?? (known !== undefined && routing.route(known).home?.name === from ? known : mailboxByTemplate(config, routing, legacyExchangeDn, from));
    },
    changed: async (mailbox, from) => {
      await changed(agentOf, from, 'push-face', [mailbox]);
      onHeard(from, { kind: 'changed', mailboxes: [mailbox] });
    },
  };
}

/** What the directories tell: mailboxes that moved, or got another legacyExchangeDN. Nobody waits for it: what cannot be stored now, the next pass finds. */
export function directoryMoved(config: Config, logger: Logger, agentOf: AgentOf, mailboxes: readonly MailboxAddress[]): void {
  for (const system of new Set(config.replication.map(({ from }) => from))) {
    changed(agentOf, system, 'directory', mailboxes).catch((thrown: unknown) => logger.warn({ system, code: toBridgeError(thrown).code, mailboxes: mailboxes.length }, 'mailboxes have moved, and it could not be stored; the next pass finds them'));
  }
}

/** The queue as the admin API has it. */
export function adminQueue(agent: ReplicationAgent | undefined): AdminQueue | undefined {
  if (agent === undefined) return undefined;
  return { report: async () => encodeQueueReport(await agent.queue()), retry: (which) => agent.retry(which), drop: (which) => agent.drop(which) };
}

async function changed(agentOf: AgentOf, system: string, feed: string, mailboxes: readonly MailboxAddress[]): Promise<void> {
  const agent = agentOf();
  if (agent === undefined) throw new BridgeError('STORE_UNAVAILABLE', 'changes cannot be stored now', { temporary: true });
  await agent.changed(system, feed, mailboxes);
}

/** Reads the templates of the systems that `from` is replicated into backwards; one without `{domain}` means whichever domain of `from` fits. */
function mailboxByTemplate(config: Config, routing: Routing, legacyExchangeDn: string, from: string): MailboxAddress | undefined {
  const domains = config.systems.find(({ name }) => name === from)?.domains ?? [];
  for (const { to } of config.replication.filter((one) => one.from === from)) {
    const target = config.systems.find(({ name }) => name === to);
    const template = target !== undefined && 'legacyExchangeDn' in target ? target.legacyExchangeDn : undefined;
    const named = template === undefined ? undefined : mailboxOfLegacyExchangeDn(template, legacyExchangeDn);
    for (const domain of named === undefined ? [] : [named.domain ?? domains].flat()) {
      const mailbox = parseMailboxAddress(`${named!.localPart}@${domain}`);
      if (mailbox !== undefined && routing.route(mailbox).home?.name === from) return mailbox;
    }
  }
  return undefined;
}
