import { BridgeError, toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { domainOf, parseMailboxAddress } from '../../directory/smtp-address.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { ServiceRecord } from '../../platform/service-records.ts';
import { candidatesFor } from './candidates.ts';
import type { Candidate } from './candidates.ts';
import { NOT_OFFERED } from './client-connection.ts';
import type { AutodiscoverConnection } from './client-connection.ts';
import { unreadable } from './refused.ts';
import { dialectOf, servicesAt, servicesBeside } from './service.ts';
import type { Service } from './service.ts';
import { shown } from './trail.ts';
import type { Trail } from './trail.ts';
import type { Trust } from './trust.ts';

/** What a walk walks with. */
export interface WalkOptions {
  readonly mailbox: MailboxAddress;
  readonly url: URL | undefined;
  readonly trust: Trust;
  readonly connection: AutodiscoverConnection;
  readonly serviceRecords: (name: string, timeoutMs: number, signal: AbortSignal) => Promise<readonly ServiceRecord[]>;
}

/**
 * Tries one place after another (exchange.md §4.1) until one says where EWS is. What fails is left behind; refused credentials and the deadline end the walk:
 * the same wrong password at four services locks an account.
 *
 * @returns URLs, the best first; empty where nobody said anything, and then the trail has the reasons
 * @throws BridgeError DEADLINE, CONFIGURATION
 */
export async function walk(options: WalkOptions, trail: Trail, signal: AbortSignal): Promise<readonly URL[]> {
  for (const candidate of candidatesFor(domainOf(options.mailbox), options.url)) {
    const found = await tryCandidate(candidate, options, trail, signal);
    if (found.length > 0) return found;
    if (isOver(trail)) break;
  }
  return [];
}

/** Whether credentials were sent and refused. */
function isOver(trail: Trail): boolean {
  return trail.steps.some(({ outcome }) => outcome instanceof BridgeError && outcome.code === 'BACKEND_AUTH' && outcome.details['status'] === 401 && outcome.details['reason'] !== NOT_OFFERED);
}

async function tryCandidate(candidate: Candidate, options: WalkOptions, trail: Trail, signal: AbortSignal): Promise<readonly URL[]> {
  switch (candidate.kind) {
    case 'services':
      return tryServices(candidate.services, options.mailbox, options, trail, signal);
    case 'plain-http':
      return tryPlainHttp(candidate.url, options, trail, signal);
    case 'dns':
      return tryServiceRecords(candidate.name, options, trail, signal);
  }
}

async function tryServices(services: readonly Service[], mailbox: MailboxAddress, options: WalkOptions, trail: Trail, signal: AbortSignal): Promise<readonly URL[]> {
  for (const service of services) {
    if (!trail.isNew(service, mailbox)) continue;
    const outcome = await tryOne(service, mailbox, options, trail, signal);
    if (!(outcome instanceof BridgeError)) return outcome;
    trail.steps.push({ tried: shown(service.url), outcome });
    // The other dialect stands on the same host: it cannot be reached either, and knows nobody else.
    if (isOver(trail) || ABOUT_THE_HOST.has(outcome.code) || outcome.details['responseCode'] !== undefined) break;
  }
  return [];
}

const ABOUT_THE_HOST: ReadonlySet<string> = new Set(['BACKEND_UNREACHABLE', 'BACKEND_TLS', 'DEADLINE']);

async function tryOne(service: Service, mailbox: MailboxAddress, options: WalkOptions, trail: Trail, signal: AbortSignal): Promise<readonly URL[] | BridgeError> {
  try {
    if (!options.trust.mayBeAsked(service.url)) throw elsewhere(service.url);
    const reply = await options.connection.ask(service, mailbox, { signal, budget: trail.budgetOf(service.url) });
    if (reply.kind === 'found') {
      const urls = usable(reply.ewsUrls, options.trust);
      trail.steps.push({ tried: shown(service.url), outcome: 'found', to: urls.map(shown).join(', ') });
      return urls;
    }
    if (reply.kind === 'address') return await followAddress(reply.address, service, options, trail, signal);
    return await followUrl(reply.url, service, mailbox, options, trail, signal);
  } catch (error) {
    if (signal.aborted) throw new BridgeError('DEADLINE', 'no answer in time', { temporary: true, cause: error });
    return toBridgeError(error);
  }
}

async function followUrl(location: string, from: Service, mailbox: MailboxAddress, options: WalkOptions, trail: Trail, signal: AbortSignal): Promise<readonly URL[]> {
  const url = targetOf(location, from.url, options.trust);
  trail.follow(from.url, url.origin);
  const next = { dialect: dialectOf(url) ?? from.dialect, url };
  if (!trail.isNew(next, mailbox)) throw circles(url.origin);
  trail.steps.push({ tried: shown(from.url), outcome: 'redirected', to: shown(url) });
  return followed(await tryOne(next, mailbox, options, trail, signal));
}

async function followAddress(text: string, from: Service, options: WalkOptions, trail: Trail, signal: AbortSignal): Promise<readonly URL[]> {
  const mailbox = parseMailboxAddress(text);
  if (mailbox === undefined) throw unreadable('a redirect to no address');
  const domain = domainOf(mailbox);
  trail.follow(from.url, domain);
  trail.steps.push({ tried: shown(from.url), outcome: 'redirected', to: mailbox });
  if (domain === domainOf(options.mailbox)) {
    if (!trail.isNew(from, mailbox)) throw circles(mailbox);
    return followed(await tryOne(from, mailbox, options, trail, signal));
  }
  // Another domain is another place, and none of the mailbox's own: only what is listed is asked there.
  const places = candidatesFor(domain, undefined).flatMap((one) => (one.kind === 'services' ? [one.services] : []));
  const listed = places.filter(([one]) => options.trust.mayBeAsked(one!.url));
  if (listed.length === 0) throw elsewhere(undefined, `autodiscover.${domain}`);
  for (const services of listed) {
    const found = await tryServices(services, mailbox, options, trail, signal);
    if (found.length > 0) return found;
    if (isOver(trail)) break;
  }
  throw new BridgeError('BACKEND_REDIRECT', 'Autodiscover redirects to an address about which nobody answers', { details: { target: domain } });
}

/** What a redirect led to is the outcome of the one who sent us. */
function followed(outcome: readonly URL[] | BridgeError): readonly URL[] {
  if (outcome instanceof BridgeError) throw outcome;
  return outcome;
}

async function tryPlainHttp(url: URL, options: WalkOptions, trail: Trail, signal: AbortSignal): Promise<readonly URL[]> {
  const outcome = await step(signal, async () => {
    const { location } = await options.connection.locationOf(url, { signal, budget: trail.budgetOf(url) });
    if (location === undefined) return undefined;
    const target = targetOf(location, url, options.trust);
    trail.follow(url, target.origin);
    return target;
  });
  if (outcome instanceof URL) {
    trail.steps.push({ tried: shown(url), outcome: 'redirected', to: shown(outcome) });
    return tryServices(servicesBeside(outcome), options.mailbox, options, trail, signal);
  }
  trail.steps.push({ tried: shown(url), outcome: outcome ?? 'nothing' });
  return [];
}

async function tryServiceRecords(name: string, options: WalkOptions, trail: Trail, signal: AbortSignal): Promise<readonly URL[]> {
  const tried = `DNS SRV ${name}`;
  const records = await step(signal, () => options.serviceRecords(name, LIMITS.autodiscoverDnsMs, signal));
  if (records instanceof BridgeError || records.length === 0) {
    trail.steps.push({ tried, outcome: records instanceof BridgeError ? records : 'nothing' });
    return [];
  }
  for (const { host, port } of records.slice(0, LIMITS.autodiscoverServiceRecords)) {
    const root = URL.canParse(`https://${host}:${port}/`) ? new URL(`https://${host}:${port}/`) : undefined;
    if (root === undefined) continue;
    trail.steps.push(options.trust.mayBeAsked(root) ? { tried, outcome: 'redirected', to: root.origin } : { tried, outcome: elsewhere(root) });
    if (!options.trust.mayBeAsked(root)) continue;
    const found = await tryServices(servicesAt(root), options.mailbox, options, trail, signal);
    if (found.length > 0 || isOver(trail)) return found;
  }
  return [];
}

/** A try that may fail, and the walk goes on; only the end of all waiting ends it. */
async function step<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | BridgeError> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw new BridgeError('DEADLINE', 'no answer in time', { temporary: true, cause: error });
    return toBridgeError(error);
  }
}

/** @throws BridgeError BACKEND_REDIRECT for everything that we do not follow */
function targetOf(location: string, from: URL, trust: Trust): URL {
  const url = location.length <= LIMITS.urlCharacters && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (url === undefined || !trust.mayBeAsked(url)) throw elsewhere(url);
  url.hash = '';
  return url;
}

/** Those of the URLs to which the password may go. @throws BridgeError BACKEND_REDIRECT where there is none */
function usable(texts: readonly string[], trust: Trust): readonly URL[] {
  const urls = texts.filter((one) => one.length <= LIMITS.urlCharacters && URL.canParse(one)).map((one) => new URL(one));
  if (urls.length === 0) throw unreadable('no URL where EWS is');
  const right = urls.filter((one) => trust.mayHoldEws(one));
  if (right.length === 0) throw elsewhere(urls[0], undefined, 'Autodiscover names a calendar system elsewhere');
  for (const one of right) one.hash = '';
  return right;
}

function elsewhere(url: URL | undefined, host?: string, text = 'Autodiscover redirects elsewhere'): BridgeError {
  const isPlain = url !== undefined && url.protocol !== 'https:';
  return new BridgeError('BACKEND_REDIRECT', text, {
    // Without path and query: they may carry a session.
    details: { target: host ?? url?.origin ?? 'unreadable', hint: isPlain ? 'only https is followed' : 'list the host under `hosts` if it is right' },
  });
}

function circles(target: string): BridgeError {
  return new BridgeError('BACKEND_REDIRECT', 'Autodiscover redirects in circles', { details: { target } });
}
