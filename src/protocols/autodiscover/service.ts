import { below } from '../../platform/http-client/below.ts';

/** The three protocols in which a service can be asked. */
export type Dialect = 'soap' | 'pox' | 'json';

/** One URL, and what is spoken there. */
export interface Service {
  readonly dialect: Dialect;
  readonly url: URL;
}

const PATHS: Readonly<Record<Dialect, string>> = { soap: '/autodiscover/autodiscover.svc', pox: '/autodiscover/autodiscover.xml', json: '/autodiscover/autodiscover.json' };

/**
 * What can be asked at a URL that somebody wrote or a server named: `…svc` is SOAP, `…xml` POX, `…json` the second version; every other is a place below
 * which both stand, SOAP before POX (exchange.md §4.1).
 */
export function servicesAt(url: URL): readonly Service[] {
  const dialect = dialectOf(url);
  if (dialect !== undefined) return [{ dialect, url }];
  const root = new URL(url);
  root.pathname = root.pathname.replace(/\/autodiscover\/?$/i, '/');
  return [service('soap', root), service('pox', root)];
}

/** The same service, and in its other dialect before it: for a server that was found by a URL of which only the host counts. */
export function servicesBeside(url: URL): readonly Service[] {
  const folder = /^(.*)\/autodiscover\/autodiscover\.(?:svc|xml)$/i.exec(url.pathname);
  if (folder === null) return servicesAt(url);
  const root = new URL(url);
  root.pathname = folder[1]! === '' ? '/' : folder[1]!;
  root.search = '';
  return [service('soap', root), service('pox', root)];
}

/** One dialect below the root of a host. */
export function service(dialect: Dialect, root: URL): Service {
  return { dialect, url: below(root, PATHS[dialect]) };
}

/** By the ending of the path; undefined where it tells nothing. */
export function dialectOf({ pathname }: URL): Dialect | undefined {
  const ending = /\.(svc|xml|json)(?:\/|$)/i.exec(pathname)?.[1]?.toLowerCase();
  return ending === 'svc' ? 'soap' : ending === 'xml' ? 'pox' : ending === 'json' ? 'json' : undefined;
}
