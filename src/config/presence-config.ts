import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { AutodiscoverConfig, ExchangeSignIn } from './config.ts';
import type { Secret } from './secret.ts';
import type { ServerTlsConfig } from './server-tls-config.ts';

export const PRESENCE_STATES = ['available', 'in-a-meeting', 'away', 'unknown'] as const;
export type MappedPresence = (typeof PRESENCE_STATES)[number];

/** Busy type → presence; total. No data is always unknown. */
export interface PresenceMapping {
  readonly free: MappedPresence;
  readonly 'no-data': 'unknown';
  readonly 'working-elsewhere': MappedPresence;
  readonly tentative: MappedPresence;
  readonly busy: MappedPresence;
  readonly oof: MappedPresence;
}

/** What may decide a person's state, in the order of presence.md §C.5; what the calendar says otherwise comes last, always. */
export const PRECEDENCE_RULES = ['do-not-disturb', 'manual-since', 'phone', 'out-of-office', 'meeting', 'manual', 'idle'] as const;
export type PrecedenceRule = (typeof PRECEDENCE_RULES)[number];

export interface PresenceConfig {
  /** Mailboxes that have agreed, each once. */
  readonly optIn: readonly MailboxAddress[];
  readonly mapping: PresenceMapping;
  /** The first that applies decides; each at most once. One that is left out is not looked at. */
  readonly precedence: readonly PrecedenceRule[];
  /** Of status texts, for whoever has chosen none. BCP 47. */
  readonly language: string;
  /** Absolute path of a folder with further catalogues, `<language>.json`. */
  readonly locales?: string | undefined;
  /** Whom `presence check --canary` shows as being in a meeting for a moment. */
  readonly canary?: MailboxAddress | undefined;
  readonly parameters: PresenceParameters;
  /** In the file's order; at most one webdav, or any number of ews, never both. Descriptions are unique. */
  readonly gateways: readonly GatewayConfig[];
  readonly publishers: readonly PublisherConfig[];
}

/** The original's parameters, under its names. */
export interface PresenceParameters {
  /** Minutes, 1 to 1440. */
  readonly ewsStatusFrequency: number;
  /** UDP for webdav, TCP for ews. */
  readonly notificationPort: number;
  /** Name or address that Exchange calls; IPv6 without brackets. Absent: publicUrl's, else the first listener's. */
  readonly notificationHost?: string | undefined;
  /** Address that is listened on. Absent: loopback where notificationHost is, else every one. */
  readonly notificationListen?: string | undefined;
  /** Of the URL that an Exchange with EWS calls; https with the certificate of `tls`. */
  readonly notificationScheme: 'http' | 'https';
  /** Seconds, 0 to 59; `auto`: a hundredth of the users. */
  readonly calendarSpread: number | 'auto';
  /** Of one request to Exchange. */
  readonly exchangeTimeoutMs: number;
  /** Mailboxes that may wait to be read again; more wait behind it. */
  readonly exchangeQueue: number;
  /** Requests at the same time to one gateway. */
  readonly exchangeThreads: number;
  /** Whether a changed parameter reaches subscriptions when they are renewed, or at once. */
  readonly apply: 'gradual' | 'now';
}

/** A calendar server for presence, with everything that it inherits filled in. */
export interface GatewayConfig extends ServerTlsConfig {
  readonly description: string;
  readonly type: 'ews' | 'webdav';
  /** The system it names; absent: it has its own server, and serves whoever lives in a system of its type, or in none. */
  readonly system?: string | undefined;
  /** Whole endpoints with ews, the servers' roots with webdav; they stand for each other. Of its own server one, and always https. Empty only with Autodiscover. */
  readonly servers: readonly URL[];
  readonly signIn: ExchangeSignIn;
  /** Whom administrators know it as there. */
  readonly username: string;
  /** Of an ews gateway, as its system has them. */
  readonly autodiscover?: AutodiscoverConfig | undefined;
  readonly hosts: readonly string[];
  /** Whether the names of the certificate count, or (as Cisco's 8.6 did) its common name only. */
  readonly nameCheck: 'san-then-cn' | 'cn-only';
  /** How ews hears of changes. `auto`: push where Exchange can reach us, else streaming, pull, and asking. */
  readonly notifications: 'auto' | 'push' | 'streaming' | 'pull' | 'poll';
}

export type PublisherConfig = SipPublisherConfig | XmppPublisherConfig | EjabberdPublisherConfig | WebhookPublisherConfig;

export interface SipPublisherConfig {
  readonly type: 'sip';
  /** Name or address (IPv6 without brackets) of the presence server, from `sip:host:port;transport=udp`. */
  readonly server: { readonly host: string; readonly port: number; readonly transport: 'udp' | 'tcp' | 'tls' };
  /** For digest authentication; both or neither. */
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  /** PEM certificates trusted in place of Node's own; with tls. */
  readonly ca?: readonly string[] | undefined;
  /** How long a publication lasts unless renewed. */
  readonly expiresMs: number;
}

export interface XmppPublisherConfig {
  readonly type: 'xmpp';
  /** The component's own domain. */
  readonly component: string;
  readonly server: { readonly host: string; readonly port: number };
  readonly secret: Secret;
}

export interface EjabberdPublisherConfig {
  readonly type: 'ejabberd';
  /** Of mod_http_api, without a trailing slash: `https://im.corp.example:5443/api`. https, or http on loopback. */
  readonly url: URL;
  /** Of an account with the rights (a full JID); absent: the server lets us in by our address. */
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  readonly ca?: readonly string[] | undefined;
  /** What a live session shows in a meeting. */
  readonly busyShow: 'dnd' | 'away' | 'xa' | 'none';
}

export interface WebhookPublisherConfig {
  readonly type: 'webhook';
  /** https, or http on loopback; a secret, because chat products put one into it. */
  readonly url: Secret;
  /** Signs every call. */
  readonly secret: Secret;
  readonly ca?: readonly string[] | undefined;
}
