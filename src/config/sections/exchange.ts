import * as z from 'zod';
import type { Account, ExchangeSignIn, OAuthConfig } from '../config.ts';
import { mailbox } from '../fields/addresses.ts';
import { flag, oneOf } from '../fields/field.ts';
import type { Field } from '../fields/field.ts';
import { line, username } from '../fields/names.ts';
import { certificateFile, pemFile } from '../fields/pem.ts';
import { secret } from '../fields/secret-field.ts';
import { chosen, list, section } from '../fields/section.ts';
import { legacyExchangeDnTemplate } from '../fields/template.ts';
import { serverUrl } from '../fields/url.ts';
import { Secret } from '../secret.ts';
import type { Surroundings } from '../surroundings.ts';
import { baseShape } from './system-base.ts';
import { refusedPair } from './tls-identity.ts';

/** Exchange 2000 to 2007 by OWA and WebDAV. */
export function exchangeWebdav(surroundings: Surroundings) {
  return section({
    type: z.literal('exchange-webdav'),
    ...exchangeShape(surroundings),
    url: oneOrMore(serverUrl("the server's root, e.g. https://owa.corp.example", ['public', 'exchange', 'exchweb', 'owa'])),
    auth: oneOf(['basic', 'form', 'ntlm']).default('basic'),
    username: username(),
    password: secret(surroundings),
  });
}

/** Exchange 2007 and later by EWS. What goes with what: checks/exchange.ts. */
export function exchangeEws(surroundings: Surroundings) {
  return section({
    type: z.literal('exchange-ews'),
    ...exchangeShape(surroundings),
    url: oneOrMore(serverUrl('the URL of the EWS service, e.g. https://ews.corp.example/EWS/Exchange.asmx')).optional(),
    autodiscover: autodiscover().optional(),
    auth: oneOf(['basic', 'ntlm', 'oauth']).default('basic'),
    username: username().optional(),
    password: secret(surroundings).optional(),
    accounts: list(section({ username: username(), password: secret(surroundings) })).default([]),
    oauth: oauth(surroundings).optional(),
    impersonate: mailbox().optional(),
  });
}

function exchangeShape(surroundings: Surroundings) {
  return {
    ...baseShape(surroundings),
    lookup: oneOf(['query', 'public-folder']).default('query'),
    legacyExchangeDn: legacyExchangeDnTemplate().optional(),
  };
}

/** One, or a list of them that stand for each other. */
function oneOrMore(url: Field<URL>): z.ZodType<readonly URL[]> {
  const single = url.transform((one) => [one]);
  const several = list(url, 1);
  return chosen((value) => (Array.isArray(value) ? several : single)).transform((urls) => [...new Map(urls.map((one) => [one.href, one])).values()]);
}

/** `true`, or who is sought and where. */
function autodiscover(): z.ZodType<{ readonly mailbox?: ReturnType<typeof mailbox>['_output'] | undefined; readonly url?: URL | undefined } | false> {
  const map = section({ mailbox: mailbox().optional(), url: serverUrl('the URL of the Autodiscover service, e.g. https://autodiscover.corp.example/autodiscover/autodiscover.svc').optional() });
  const plain = flag().transform((isOn) => (isOn ? {} : false as const));
  return chosen<z.output<typeof map> | false>((value) => (typeof value === 'object' ? map : plain));
}

/** The client credentials grant; a secret, or certificate and key. */
function oauth(surroundings: Surroundings): z.ZodType<OAuthConfig> {
  return section({
    tokenUrl: serverUrl('the URL of the token endpoint, e.g. https://login.microsoftonline.com/TENANT/oauth2/v2.0/token'),
    clientId: line('the client id (application id)'),
    clientSecret: secret(surroundings).optional(),
    certificate: pemFile('the certificate', surroundings).optional(),
    key: pemFile('the private key', surroundings).optional(),
    scope: line('the scope, e.g. https://outlook.office365.com/.default').default('https://outlook.office365.com/.default'),
    tls: section({ ca: certificateFile(surroundings) }).optional(),
  }).transform(({ clientSecret, certificate, key, tls, ...rest }, ctx): OAuthConfig => {
    const common = { ...rest, ca: tls?.ca };
    const refuse = (at: string, message: string): OAuthConfig => {
      ctx.issues.push({ code: 'custom', path: [at], message, input: undefined });
      return z.NEVER;
    };
    if (clientSecret !== undefined) {
      const stray = certificate !== undefined ? 'certificate' : key !== undefined ? 'key' : undefined;
      return stray === undefined ? { ...common, credential: { kind: 'secret', secret: clientSecret } } : refuse(stray, 'does not go with clientSecret; leave one of them out');
    }
    if (certificate === undefined && key === undefined) return refuse('clientSecret', 'is missing; oauth has clientSecret, or certificate and key');
    if (certificate === undefined || key === undefined) return refuse(certificate === undefined ? 'certificate' : 'key', 'is missing; certificate and key go together');
    const refusal = refusedPair(certificate, key);
    if (refusal !== undefined) return refuse(refusal.at, refusal.message);
    return { ...common, credential: { kind: 'certificate', certificate, key: new Secret(key) } };
  });
}

/** @param first the account of `username` and `password`, where there is one */
export function settledSignIn(auth: 'basic' | 'ntlm' | 'form' | 'oauth', first: Account | undefined, further: readonly Account[], grant: OAuthConfig | undefined): ExchangeSignIn {
  if (auth === 'oauth') return { kind: 'oauth', oauth: grant! };
  return { kind: auth, accounts: [...(first === undefined ? [] : [first]), ...further] };
}
