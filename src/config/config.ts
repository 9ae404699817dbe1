import type { DetailLevel, GalRight, PresenceRight } from '../core/request-context.ts';
import { ENTRY_DETAILS } from '../directory/entry.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { PresenceConfig } from './presence-config.ts';
import type { Secret } from './secret.ts';
import type { ServerTlsConfig } from './server-tls-config.ts';

/** bridge.yaml as checked: defaults filled in, files read, secrets resolved, paths absolute, durations in milliseconds. */
export interface Config {
  /** Absolute path of the file it was read from. */
  readonly file: string;
  /** At least one; no two the same. */
  readonly listen: readonly Listener[];
  /** Read anew with every load; there when a listener is https. Key and certificate belong together. */
  readonly tls?: TlsIdentity | undefined;
  readonly behindProxy: boolean;
  /** IP addresses and networks (`10.0.0.0/8`). */
  readonly trustedProxies: readonly string[];
  /** http(s), without a trailing slash; absent: the first listener. */
  readonly publicUrl?: string | undefined;
  /** Absent: no admin listener. */
  readonly admin?: { readonly listen: Listener } | undefined;
  /** Where the queue of replication is kept; absent: the bridge's own Redis in `dataDir`. Lookups never use it. */
  readonly redis?: RedisConfig | undefined;
  /** Absolute. Need not exist yet. */
  readonly dataDir: string;
  readonly deadlineMs: number;
  /** What working elsewhere becomes in a protocol without a word for it. */
  readonly workingElsewhere: 'free' | 'tentative' | 'busy';
  readonly log: { readonly level: LogLevel };
  /** At least one, in the file's order; names are unique. */
  readonly systems: readonly SystemConfig[];
  /** In the file's order; names are unique, usernames too without regard to case. */
  readonly clients: readonly ClientConfig[];
  readonly gal: GalConfig;
  readonly presence: PresenceConfig;
  /** In the file's order; no pair of `from` and `to` twice. Empty: nothing is replicated. */
  readonly replication: readonly ReplicationConfig[];
  /** Who vouches for clients that come with bearer tokens. In the file's order, each issuer once. */
  readonly issuers: readonly IssuerConfig[];
  /** Mailboxes and groups about which nobody is told anything; groups stand for their members. Each once. */
  readonly privacy: { readonly exclude: readonly MailboxAddress[] };
  readonly audit: AuditConfig;
  /** Signs POST /notify; absent: a client's credentials only. */
  readonly notify?: { readonly secret: Secret } | undefined;
  /** Not wrong, but worth an administrator's look; one line each, beginning with the key's path. */
  readonly warnings: readonly string[];
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface Listener {
  readonly protocol: 'http' | 'https';
  /** Name or IP address; IPv6 without brackets. */
  readonly host: string;
  /** 0: one that the machine chooses. */
  readonly port: number;
  /** 127.0.0.0/8, ::1 or localhost. */
  readonly isLoopback: boolean;
}

export interface TlsIdentity {
  /** PEM, the chain as the file has it. */
  readonly certificate: string;
  /** PEM. */
  readonly key: Secret;
  /** PEM certificates of the authorities that vouch for clients' own certificates; absent: no client is asked for one. */
  readonly clientCa?: readonly string[] | undefined;
}

/** Who issues tokens that clients bring (OAuth 2 bearer tokens that are JWTs). */
export interface IssuerConfig {
  /** Exactly as in the tokens' `iss`. */
  readonly issuer: string;
  /** One of these is in the tokens' `aud`; at least one. */
  readonly audience: readonly string[];
  /** Where its keys are; absent: where its metadata says. */
  readonly jwksUri?: URL | undefined;
  /** PEM certificates trusted in place of Node's own. */
  readonly ca?: readonly string[] | undefined;
}

/** What is taken down of who does what, in `dataDir/audit.log`. */
export interface AuditConfig {
  /** Who asked about whom. */
  readonly lookups: boolean;
  /** Of one file. */
  readonly fileBytes: number;
  /** Older files that are kept. */
  readonly files: number;
}

export type RedisConfig =
  | { readonly kind: 'single'; /** redis:// or rediss://; it may carry a password. */ readonly url: Secret }
  | { readonly kind: 'sentinels'; /** Of the master. */ readonly name: string; readonly nodes: readonly Secret[] }
  | { readonly kind: 'cluster'; readonly nodes: readonly Secret[] };

export type SystemConfig = ZimbraConfig | ExchangeWebdavConfig | ExchangeEwsConfig | IfbConfig;

/** What every system has. */
export interface SystemBase extends ServerTlsConfig {
  readonly name: string;
  /** Lower case; whose mailboxes live there. */
  readonly domains: readonly string[];
  /** Live there whatever their domain. */
  readonly mailboxes: readonly MailboxAddress[];
  /** `name` or `name:port`, lower case: further places to which a redirect may lead. */
  readonly hosts: readonly string[];
  /** The most that any client sees of its mailboxes; what the client itself may see may be less. */
  readonly detail: Exclude<DetailLevel, 'none'>;
  /** How long an answer is given again without asking; 0: never. Absent: LIMITS.freshMs, and LIMITS.followedFreshMs of a mailbox whose changes are heard of. */
  readonly cacheForMs?: number | undefined;
  /** When it does not answer: how old an answer may be that is given to those who cannot be told how old it is. 0: none is. */
  readonly staleForMs: number;
  /** Requests at the same time; absent: what its type takes. */
  readonly concurrency?: number | undefined;
}

export interface ZimbraConfig extends SystemBase {
  readonly type: 'zimbra';
  readonly url: URL;
  readonly adminUrl?: URL | undefined;
  /** There, with the password, whenever some client may ask this system or it is replicated from. */
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
  /** WaitSets and the look-up of accounts, at `adminUrl` (absent: at `url`); never reads free/busy. */
  readonly admin?: { readonly username: string; readonly password: Secret } | undefined;
}

export interface Account {
  readonly username: string;
  readonly password: Secret;
}

/** How the bridge signs in to an Exchange. */
export type ExchangeSignIn =
  | {
      /** `form`: only to OWA. */
      readonly kind: 'basic' | 'ntlm' | 'form';
      /** At least one, usernames once each; with several the load is spread over them (EWS only). */
      readonly accounts: readonly Account[];
    }
  | { readonly kind: 'oauth'; readonly oauth: OAuthConfig };

/** The client credentials grant of OAuth 2 (RFC 6749 §4.4), with a secret or with a certificate (RFC 7523 §2.2). */
export interface OAuthConfig {
  readonly tokenUrl: URL;
  readonly clientId: string;
  readonly credential: { readonly kind: 'secret'; readonly secret: Secret } | { readonly kind: 'certificate'; /** PEM, the first one is ours. */ readonly certificate: string; /** PEM. */ readonly key: Secret };
  /** As the token endpoint takes it: blanks between several. */
  readonly scope: string;
  /** PEM certificates trusted in place of Node's own, for the token endpoint; absent: those of the system. */
  readonly ca?: readonly string[] | undefined;
}

/** What both kinds of Exchange have. */
export interface ExchangeBase extends SystemBase {
  /** They stand for each other, the first that answers is asked; each once. Empty only with Autodiscover. */
  readonly servers: readonly URL[];
  readonly signIn: ExchangeSignIn;
  /** Whom administrators know it as there: the first account, or with OAuth whom it impersonates or its client id. */
  readonly username: string;
  readonly lookup: 'query' | 'public-folder';
  /** Template; there whenever `lookup` is public-folder or the system is replicated into. */
  readonly legacyExchangeDn?: string | undefined;
}

export interface ExchangeWebdavConfig extends ExchangeBase {
  readonly type: 'exchange-webdav';
}

export interface ExchangeEwsConfig extends ExchangeBase {
  readonly type: 'exchange-ews';
  /** Asks where EWS is, when no servers are configured. */
  readonly autodiscover?: AutodiscoverConfig | undefined;
  /** In whose name the bridge asks (ExchangeImpersonation, X-AnchorMailbox); absent: the account's own. */
  readonly impersonate?: MailboxAddress | undefined;
}

export interface AutodiscoverConfig {
  /** Whose server is sought. */
  readonly mailbox: MailboxAddress;
  /** The service itself (`…/autodiscover.svc` or `….xml`); absent: what Autodiscover tries for the mailbox's domain. */
  readonly url?: URL | undefined;
}

export interface IfbConfig extends SystemBase {
  readonly type: 'ifb';
  /** With `{address}`, `{localPart}`, `{domain}`, `{start}`, `{end}` in path and query only; a secret, because its query may hold one. */
  readonly urlTemplate: Secret;
  /** Both or neither. */
  readonly username?: string | undefined;
  readonly password?: Secret | undefined;
}

/**
 * `basic`: by sending its password, whether in a header, a form or a SOAP body; `ntlm`: by NTLMv2, on connections of its own; `bearer`: by a token that one of the
 * issuers has signed; `certificate`: by a certificate of its own, in the TLS handshake.
 */
export const CLIENT_AUTHS = ['basic', 'ntlm', 'bearer', 'certificate'] as const;
export type ClientAuth = (typeof CLIENT_AUTHS)[number];

/** What a client signs in with; the parts that its `auth` needs are there. */
export interface ClientCredentials {
  readonly username: string;
  /** Or its hash, never both; with ntlm only the password itself. */
  readonly password?: Secret | undefined;
  /** `$scrypt$…` in PHC's form. */
  readonly passwordHash?: Secret | undefined;
}

/** What a client's token says; all of it has to be so. */
export interface ClientToken {
  /** One of the issuers'. */
  readonly issuer: string;
  /** Claims with their values; at least one (`sub`, `azp`, `appid`, `client_id`). A claim that is a list has the value among its members. */
  readonly claims: Readonly<Record<string, string>>;
}

/** What a client's certificate is known by, beside that `tls.clientCa` vouches for it; one of them. */
export interface ClientCertificate {
  /** SHA-256 of the certificate, lower-case hex without colons. */
  readonly fingerprint?: string | undefined;
  /** Its only common name. */
  readonly commonName?: string | undefined;
  /** One of its subject alternative names: a DNS name or a mail address, lower case. */
  readonly alternativeName?: string | undefined;
}

export interface ClientConfig {
  readonly name: string;
  /** Known by its `addresses` only (then there is at least one), and by nothing below. */
  readonly anonymous: boolean;
  /** There with basic and ntlm. */
  readonly credentials?: ClientCredentials | undefined;
  /** There with bearer. */
  readonly token?: ClientToken | undefined;
  /** There with certificate. */
  readonly certificate?: ClientCertificate | undefined;
  /** How it may prove who it is, each once; empty for an anonymous client. */
  readonly auth: readonly ClientAuth[];
  /** IP addresses and networks it may come from; absent: anywhere. */
  readonly addresses?: readonly string[] | undefined;
  /** Name of a system, or `outside`. */
  readonly from: string;
  /** Names of systems. */
  readonly mayAsk: readonly string[];
  readonly detail: DetailLevel;
  /** What it may take out of the address book. */
  readonly gal: GalRight;
  readonly presence: PresenceRight;
  /** Absent: the bridge's. */
  readonly deadlineMs?: number | undefined;
}

/** Where an LDAP server is, or where the LDAP face listens; IPv6 without brackets. */
export interface LdapAddress {
  readonly protocol: 'ldap' | 'ldaps';
  readonly host: string;
  readonly port: number;
  readonly isLoopback: boolean;
}

/** The unified address book. */
export interface GalConfig {
  /** In the file's order; the earlier one is believed first. Empty: no address book is kept. */
  readonly sources: readonly GalSourceConfig[];
  /** Absent: no LDAP face. */
  readonly ldap?: { readonly listen: LdapAddress; /** Its DN. */ readonly base: string } | undefined;
  /** What a client with `gal: search` may take out. */
  readonly search: GalSearchConfig;
}

export interface GalSearchConfig {
  /** Characters that a search needs at least. */
  readonly minimumLength: number;
  /** Entries of one answer. */
  readonly results: number;
  /** Searches of one client. */
  readonly perMinute: number;
}

export type GalSourceConfig =
  | { readonly kind: 'system'; /** Its own directory. */ readonly system: string }
  | LdapSourceConfig
  | { readonly kind: 'file'; /** Absolute. */ readonly path: string; readonly home?: string | undefined };

export interface LdapSourceConfig {
  readonly kind: 'ldap';
  readonly url: LdapAddress;
  /** DN below which it is read. */
  readonly base: string;
  /** Both or neither. */
  readonly bindDn?: string | undefined;
  readonly password?: Secret | undefined;
  /** Only with ldap://. */
  readonly startTls: boolean;
  /** PEM certificates trusted in place of Node's own. */
  readonly ca?: readonly string[] | undefined;
  /** Which entries are read; absent: those that can be people, rooms, groups or contacts. */
  readonly filter?: string | undefined;
  /** LDAP_ATTRIBUTE_KEYS → the directory's name. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Name of the system where its mailboxes live; absent: nobody knows, its entries are contacts. */
  readonly home?: string | undefined;
}

/** What `attributes` of an LDAP source may map. */
export const LDAP_ATTRIBUTE_KEYS = ['id', 'address', 'name', 'kind', 'aliases', 'legacyExchangeDn', 'targetAddress', 'foreignPrincipal', 'hidden', 'members', ...ENTRY_DETAILS] as const;

/**
 * Other names for them that administrators write: what the LDAP face, or Zimbra's GAL, calls the same. The strongest first; ours are stronger than any of them (a map of both cn and
 * displayName means the latter).
 */
export const LDAP_ATTRIBUTE_SYNONYMS: Readonly<Partial<Record<(typeof LDAP_ATTRIBUTE_KEYS)[number], readonly string[]>>> = {
  address: ['mail', 'email'],
  name: ['displayName', 'fullName', 'cn'],
  aliases: ['proxyAddresses', 'alias'],
  legacyExchangeDn: ['legacyExchangeDN'],
  members: ['member'],
  givenName: ['firstName', 'gn'],
  surname: ['sn', 'lastName'],
  nickname: ['mailNickname'],
  phone: ['telephoneNumber'],
};

export const REPLICATED_MAILBOXES = ['foreign-principal', 'all'] as const;

/** One way on which mailboxes are replicated. */
export interface ReplicationConfig {
  /** Name of the system whose mailboxes are read. */
  readonly from: string;
  /** Name of the Exchange they are written into; never the same as `from`. */
  readonly to: string;
  /** How far before and after today the published window reaches. */
  readonly pastMs: number;
  readonly aheadMs: number;
  /** Whom: those with a zimbraForeignPrincipal `ad:…` (only from a zimbra with `admin`), or everybody. */
  readonly only: (typeof REPLICATED_MAILBOXES)[number];
  /** Each once, beside those of `only`; no address is in both lists. */
  readonly include: readonly MailboxAddress[];
  /** Each once; never replicated. */
  readonly exclude: readonly MailboxAddress[];
  /** Mailboxes worked on at the same time. */
  readonly concurrency: number;
}
