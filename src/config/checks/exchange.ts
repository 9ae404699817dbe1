import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { Problem } from '../problems.ts';
import { mapOf, textOf, textsOf } from './outline.ts';
import type { Outline, RawMap } from './outline.ts';

/** Keys of an exchange-ews system that need each other: where it is, and how the bridge signs in. */
export function checkExchange({ systems }: Outline): readonly Problem[] {
  return systems.flatMap(({ name, keys }) => (keys['type'] === 'exchange-ews' ? [...place(keys), ...signIn(keys), ...accounts(keys)] : []).map(({ at, message }) => ({ path: ['systems', name, ...at], message })));
}

interface Finding {
  readonly at: readonly (string | number)[];
  readonly message: string;
}

function place(keys: RawMap): readonly Finding[] {
  const discovers = keys['autodiscover'] !== undefined && keys['autodiscover'] !== false;
  if (!discovers) return keys['url'] === undefined ? [{ at: ['url'], message: 'is missing; it should be the URL of the EWS service, or autodiscover: true' }] : [];
  if (keys['url'] !== undefined) return [{ at: ['autodiscover'], message: 'does not go with url; leave one of them out' }];
  const sought = [textOf(mapOf(keys['autodiscover'])?.['mailbox']), textOf(keys['impersonate']), textOf(keys['username']), textsOf(keys['mailboxes'])[0]?.text];
  if (sought.some((text) => text !== undefined && parseMailboxAddress(text) !== undefined)) return [];
  return [{ at: ['autodiscover'], message: 'needs somebody whose server is sought: autodiscover: { mailbox: bridge@corp.example }' }];
}

function signIn(keys: RawMap): readonly Finding[] {
  if (keys['auth'] === 'oauth') {
    const stray = ['username', 'password', 'accounts'].filter((key) => keys[key] !== undefined).map((key) => ({ at: [key], message: 'does not go with auth: oauth, which has oauth: { tokenUrl, clientId, … }' }));
    return keys['oauth'] === undefined ? [...stray, { at: ['oauth'], message: 'is missing; auth: oauth needs { tokenUrl, clientId, clientSecret or certificate and key }' }] : stray;
  }
  const lacking = ['username', 'password'].filter((key) => keys[key] === undefined).map((key) => ({ at: [key], message: 'is missing; the bridge signs in with username and password, unless auth is oauth' }));
  return keys['oauth'] === undefined ? lacking : [...lacking, { at: ['oauth'], message: 'is never looked at: auth is not oauth' }];
}

function accounts(keys: RawMap): readonly Finding[] {
  const names = [textOf(keys['username']), ...(Array.isArray(keys['accounts']) ? keys['accounts'] : []).map((one: unknown) => textOf(mapOf(one)?.['username']))].map((name) => name?.toLowerCase());
  return names.flatMap((name, index) => (name !== undefined && names.indexOf(name) < index ? [{ at: ['accounts', index - 1, 'username'], message: 'is there already; every account once (upper and lower case do not count)' }] : []));
}
