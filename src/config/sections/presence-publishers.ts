import * as z from 'zod';
import { LIMITS } from '../../core/limits.ts';
import type { EjabberdPublisherConfig, PublisherConfig, SipPublisherConfig, WebhookPublisherConfig, XmppPublisherConfig } from '../presence-config.ts';
import { duration } from '../fields/duration.ts';
import { Mistake, field, oneOf, text } from '../fields/field.ts';
import { hostAndPort, readHost } from '../fields/host.ts';
import { line } from '../fields/names.ts';
import { isLoopback } from '../../core/loopback.ts';
import { certificateFile } from '../fields/pem.ts';
import { chosen, list, section } from '../fields/section.ts';
import { resolveSecret, secret } from '../fields/secret-field.ts';
import { sipServer } from '../fields/sip-server.ts';
import { readHttpUrl } from '../fields/url.ts';
import { Secret } from '../secret.ts';
import type { Surroundings } from '../surroundings.ts';

/** The port of XEP-0114's listeners in every server's documentation. */
const COMPONENT_PORT = 5347;

/** `presence.publishers:`; none twice. */
export function presencePublishers(surroundings: Surroundings): z.ZodDefault<z.ZodType<readonly PublisherConfig[]>> {
  const kinds = { sip: sip(surroundings), xmpp: xmpp(surroundings), ejabberd: ejabberd(surroundings), webhook: webhook(surroundings) };
  // Says what is wrong with the type; what the other keys should be depends on it.
  const untyped = z.looseObject({ type: oneOf(['sip', 'xmpp', 'ejabberd', 'webhook']) }).transform((): never => z.NEVER);
  const publisher = chosen<PublisherConfig>((value) => {
    const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
    return typeof type === 'string' && Object.hasOwn(kinds, type) ? kinds[type as keyof typeof kinds] : untyped;
  });
  const each = list(publisher).transform((publishers, ctx): readonly PublisherConfig[] => {
    const places = publishers.map(placeOf);
    places.forEach((place, index) => {
      const first = places.indexOf(place);
      if (first < index) ctx.issues.push({ code: 'custom', path: [index], message: `publishes where publishers[${first}] does; every server once`, input: undefined });
    });
    return publishers;
  });
  return (each as z.ZodType<readonly PublisherConfig[]>).default([]);
}

function sip(surroundings: Surroundings): z.ZodType<SipPublisherConfig> {
  return section({
    type: z.literal('sip'),
    server: sipServer(),
    username: line('the user name of digest authentication').optional(),
    password: secret(surroundings).optional(),
    tls: section({ ca: certificateFile(surroundings) }).optional(),
    expires: duration(LIMITS.sipExpiresMs).prefault('1h'),
  }).transform(({ tls, expires: expiresMs, ...rest }, ctx): SipPublisherConfig => {
    wholeAccount(rest, ctx);
    if (tls !== undefined && rest.server.transport !== 'tls') ctx.issues.push({ code: 'custom', path: ['tls'], message: 'is of no use without TLS: write sips:, or ;transport=tls', input: undefined });
    return { ...rest, ca: tls?.ca, expiresMs };
  });
}

function xmpp(surroundings: Surroundings): z.ZodType<XmppPublisherConfig> {
  return section({
    type: z.literal('xmpp'),
    component: text("the component's own domain, e.g. calendar.corp.example", (value) => readHost(value)),
    server: hostAndPort(COMPONENT_PORT),
    secret: secret(surroundings),
  });
}

function ejabberd(surroundings: Surroundings): z.ZodType<EjabberdPublisherConfig> {
  const right = "the URL of ejabberd's mod_http_api, e.g. https://im.corp.example:5443/api";
  return section({
    type: z.literal('ejabberd'),
    url: text(right, (value) => {
      const url = publisherUrl(value, right);
      if (url.search !== '') throw new Mistake(`should be ${right}: without a query`);
      url.pathname = url.pathname.replace(/\/+$/, '');
      return url;
    }),
    username: text('the full JID of an account with the rights, e.g. bridge@corp.example', (value) => (/^[^@/\s:\p{C}]{1,256}@[^@/\s:\p{C}]{1,253}$/u.test(value) ? value : undefined)).optional(),
    password: secret(surroundings).optional(),
    tls: section({ ca: certificateFile(surroundings) }).optional(),
    busyShow: oneOf(['dnd', 'away', 'xa', 'none']).default('dnd'),
  }).transform(({ tls, ...rest }, ctx): EjabberdPublisherConfig => {
    wholeAccount(rest, ctx);
    return { ...rest, ca: tls?.ca };
  });
}

function webhook(surroundings: Surroundings): z.ZodType<WebhookPublisherConfig> {
  const right = 'an https URL, {env: NAME} or {file: PATH}';
  return section({
    type: z.literal('webhook'),
    url: field(right, async (value) => {
      const url = await resolveSecret(value, surroundings);
      publisherUrl(url, right);
      return new Secret(url);
    }),
    secret: secret(surroundings),
    tls: section({ ca: certificateFile(surroundings) }).optional(),
  }).transform(({ tls, ...rest }): WebhookPublisherConfig => ({ ...rest, ca: tls?.ca }));
}

/** @throws Mistake, which never shows it */
function publisherUrl(value: string, right: string): URL {
  const url = readHttpUrl(value, right);
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) throw new Mistake(`should be ${right}: plain http only on this machine (127.0.0.1, ::1, localhost)`);
  return url;
}

function wholeAccount(keys: { readonly username?: unknown; readonly password?: unknown }, ctx: z.core.$RefinementCtx): void {
  const lacking = (['username', 'password'] as const).filter((key) => keys[key] === undefined);
  if (lacking.length === 1) ctx.issues.push({ code: 'custom', path: [lacking[0]!], message: 'is missing; username and password go together', input: undefined });
}

/** Two of the same are one server told twice. */
function placeOf(publisher: PublisherConfig): string {
  switch (publisher.type) {
    case 'sip':
      return `sip ${publisher.server.host} ${publisher.server.port}`;
    case 'xmpp':
      return `xmpp ${publisher.component} ${publisher.server.host} ${publisher.server.port}`;
    case 'ejabberd':
      return `ejabberd ${publisher.url.href}`;
    case 'webhook':
      return `webhook ${new URL(publisher.url.reveal()).href}`;
  }
}
