import { REPORTS_OF } from './report-names.ts';
import type { ResourceKind } from './resources.ts';

/** The privilege that nobody has here, by the method that needs it (RFC 3744 appendix B). */
export const PRIVILEGE_FOR: ReadonlyMap<string, string> = new Map([
  ['PUT', 'D:bind'],
  ['PATCH', 'D:write-content'],
  ['DELETE', 'D:unbind'],
  ['MKCOL', 'D:bind'],
  ['MKCALENDAR', 'D:bind'],
  ['COPY', 'D:bind'],
  ['MOVE', 'D:bind'],
  ['PROPPATCH', 'D:write-properties'],
  ['ACL', 'D:write-acl'],
]);

/** The value of `Allow`: what a resource answers. */
export function allowedMethods(kind: ResourceKind): string {
  return ['OPTIONS', 'PROPFIND', ...(REPORTS_OF[kind].length > 0 ? ['REPORT'] : []), ...(kind === 'outbox' ? ['POST'] : [])].join(', ');
}
