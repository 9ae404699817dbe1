/** What stands under `/caldav/`; for a client only its own. `site` is the server's root, where clients that know no path begin. */
export const RESOURCE_KINDS = ['site', 'root', 'principals', 'principal', 'homes', 'home', 'calendar', 'inbox', 'outbox'] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

/** Where `/.well-known/caldav` leads (RFC 6764 §5). */
export const CONTEXT_PATH = '/caldav/';
export const WELL_KNOWN_PATH = '/.well-known/caldav';

const SEGMENTS: Readonly<Record<Exclude<ResourceKind, 'site'>, (name: string) => readonly string[]>> = {
  root: () => [],
  principals: () => ['principals'],
  principal: (name) => ['principals', name],
  homes: () => ['calendars'],
  home: (name) => ['calendars', name],
  // Thunderbird takes the calendar's parent for the home.
  calendar: (name) => ['calendars', name, 'calendar'],
  inbox: (name) => ['calendars', name, 'inbox'],
  outbox: (name) => ['calendars', name, 'outbox'],
};

/** The path of a resource, percent-encoded, with the slash of a collection at its end. */
export function hrefOf(kind: ResourceKind, name: string): string {
  if (kind === 'site') return '/';
  return [CONTEXT_PATH, ...SEGMENTS[kind](name).map((segment) => `${encodeURIComponent(segment)}/`)].join('');
}

/** Whether a raw request target is one that this face answers for at all; the site's root only for methods that are DAV's. */
export function isOurs(target: string, method: string): boolean {
  const path = pathOf(target);
  if (path === '/') return method === 'PROPFIND' || method === 'REPORT' || method === 'OPTIONS';
  return isWellKnown(target) || path === '/caldav' || path.startsWith(CONTEXT_PATH);
}

export function isWellKnown(target: string): boolean {
  return pathOf(target).replace(/\/$/, '') === WELL_KNOWN_PATH;
}

/** The resource at a raw request target, with or without the slash at its end; undefined where `name` has none there. */
export function resourceAt(target: string, name: string): ResourceKind | undefined {
  const path = decoded(pathOf(target));
  if (path === undefined) return undefined;
  const withSlash = path.endsWith('/') ? path : `${path}/`;
  return RESOURCE_KINDS.find((kind) => decoded(hrefOf(kind, name)) === withSlash);
}

const CHILDREN: Readonly<Record<ResourceKind, readonly ResourceKind[]>> = {
  site: ['root'],
  root: ['principals', 'homes'],
  principals: ['principal'],
  principal: [],
  homes: ['home'],
  home: ['calendar', 'inbox', 'outbox'],
  calendar: [],
  inbox: [],
  outbox: [],
};

/** What a resource holds. */
export function childrenOf(kind: ResourceKind): readonly ResourceKind[] {
  return CHILDREN[kind];
}

function pathOf(target: string): string {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  // The absolute form of a target, as proxies get it.
  return path.replace(/^https?:\/\/[^/]*/i, '');
}

function decoded(path: string): string | undefined {
  try {
    // Segment by segment: a %2F within a name is no separator.
    return path.split('/').map((segment) => decodeURIComponent(segment).replaceAll('/', '%2F')).join('/');
  } catch {
    // URIError: no path of ours.
    return undefined;
  }
}
