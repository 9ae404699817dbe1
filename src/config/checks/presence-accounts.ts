import type { SystemConfig } from '../config.ts';
import { quoted } from '../key-path.ts';
import type { Problem } from '../problems.ts';
import { accountOf } from '../sections/presence-gateways.ts';
import type { GatewaysOutput } from '../sections/presence-gateways.ts';
import { textOf } from './outline.ts';
import type { Outline } from './outline.ts';
import { nameOf } from './raw-gateway.ts';
import type { RawGateway } from './raw-gateway.ts';

/**
 * Accounts of gateways with servers of their own: in the form of their type, whole, and one for all EWS servers, who take that of the first
 * gateway (presence.md, A20 to A22, A25, A26).
 */
export function checkGatewayAccounts(gateways: readonly RawGateway[], outline: Outline): readonly Problem[] {
  const own = gateways.filter(({ keys }) => keys['server'] !== undefined && keys['system'] === undefined);
  return [...own.flatMap((one) => [...spelling(one), ...wholeness(one, gateways)]), ...sharedAccount(gateways, own, outline)];
}

const at = ({ index }: RawGateway, key: string): Problem['path'] => ['presence', 'gateways', index, key];

const DOWN_LEVEL = /^[^\\@]+\\[^\\@]+$/;
const UPN = /^[^\\@\s]+@[^\\@\s]+$/;

/** Whether a WebDAV account lacks its domain, which is right only where Exchange has a default one (A21). */
export function lacksDomain(account: string): boolean {
  return !/[\\@]/.test(account);
}

function spelling(one: RawGateway): readonly Problem[] {
  const account = textOf(one.keys['account']);
  if (account === undefined || account === '' || DOWN_LEVEL.test(account)) return [];
  const path = at(one, 'account');
  const yaml = /\\\\/.test(account) ? '; without quotes, or in single ones, YAML wants one backslash only' : '';
  if (one.keys['type'] === 'ews' && !UPN.test(account)) return [{ path, message: `should be user@domain or domain\\user, e.g. bridge@corp.example or CORP\\bridge${yaml}` }];
  if (one.keys['type'] === 'webdav' && !lacksDomain(account)) return [{ path, message: `should be domain\\user with exactly one backslash, e.g. CORP\\bridge${yaml}` }];
  return [];
}

function wholeness(one: RawGateway, gateways: readonly RawGateway[]): readonly Problem[] {
  const lacking = ['account', 'password'].filter((key) => one.keys[key] === undefined);
  const [first] = gateways;
  const mayInherit = one.keys['type'] === 'ews' && first !== undefined && first.index !== one.index;
  if (lacking.length === 0 || (lacking.length === 2 && mayInherit)) return [];
  const advice = mayInherit ? `leave both out to take those of ${nameOf(first)}` : 'a server of its own needs both';
  return lacking.map((key) => ({ path: at(one, key), message: `is missing; account and password go together: ${advice}` }));
}

function sharedAccount(gateways: readonly RawGateway[], own: readonly RawGateway[], { systems }: Outline): readonly Problem[] {
  const [first] = gateways;
  const system = textOf(first?.keys['system']);
  const inherited = system === undefined ? textOf(first?.keys['account']) : textOf(systems.find(({ name }) => name === system)?.keys['username']);
  const known = own.flatMap((one) => {
    const account = textOf(one.keys['account']) ?? inherited;
    return one.keys['type'] === 'ews' && account !== undefined ? [{ one, account }] : [];
  });
  const [reference] = known;
  return known.flatMap(({ one, account }) => {
    if (reference === undefined || account.toLowerCase() === reference.account.toLowerCase()) return [];
    const key = one.keys['account'] === undefined ? 'server' : 'account';
    const what = `${nameOf(one)} has the account ${shown(account)} and ${nameOf(reference.one)} has ${shown(reference.account)}`;
    return [{ path: at(one, key), message: `all ews servers share one account and password: ${what}; leave account and password out everywhere but in the first gateway` }];
  });
}

/** `CORP\bridge` has one backslash in a message, as the file has. */
function shown(account: string): string {
  return quoted(account).replaceAll('\\\\', '\\');
}

/** One account, one password; it can only be seen once both are read, and is never shown. */
export function checkSharedPassword(gateways: GatewaysOutput, systems: readonly SystemConfig[]): readonly Problem[] {
  const [first] = gateways;
  if (first?.type !== 'ews') return [];
  const own = gateways.flatMap((one, index) => (one.system === undefined ? [{ one, index, password: (accountOf(one, systems) ?? accountOf(first, systems))?.password.reveal() }] : []));
  const [reference] = own;
  return own.flatMap(({ one, index, password }) => {
    if (reference === undefined || password === reference.password) return [];
    const message = `all ews servers share one account and password, and this password is not that of ${quoted(reference.one.description)}; leave account and password out everywhere but in the first gateway`;
    return [{ path: ['presence', 'gateways', index, one.password === undefined ? 'server' : 'password'], message }];
  });
}
