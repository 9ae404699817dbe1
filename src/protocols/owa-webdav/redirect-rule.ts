/**
 * Whether credentials may go to `target`: the place that was asked, or one of `hosts` (`name` or `name:port`), over https, or over http where http was asked. The rule of HttpClient, for
 * addresses that do not come as a redirect that it follows itself: of folders, and of redirects inside a form logon's session.
 */
export function mayLeadTo(target: URL, from: URL, hosts: readonly string[]): boolean {
  if (target.username !== '' || target.password !== '') return false;
  if (target.origin === from.origin) return true;
  if (target.protocol !== 'https:' && (target.protocol !== 'http:' || from.protocol !== 'http:')) return false;
  const place = placeOf(target);
  return hosts.some((host) => host.toLowerCase() === target.hostname || host.toLowerCase() === place);
}

/** `name:port`, as `hosts` has it. */
export function placeOf(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
}
