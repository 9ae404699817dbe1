import { DEFAULT_LISTENER, parseListener } from '../fields/listener.ts';
import type { KeyPath } from '../key-path.ts';
import type { Problem } from '../problems.ts';
import { mapOf, textOf, textsOf } from './outline.ts';
import type { Outline } from './outline.ts';

/** Plain http beyond loopback only behind a proxy; https only with a certificate; no place listened at twice. */
export function checkListeners({ top }: Outline): readonly Problem[] {
  const problems: Problem[] = [];
  const taken = new Map<string, KeyPath>();
  for (const { path, text } of listenersOf(top['listen'], mapOf(top['admin'])?.['listen'])) {
    const listener = parseListener(text);
    if (listener === undefined) continue;
    const { protocol, host, port, isLoopback } = listener;
    if (protocol === 'http' && !isLoopback && top['behindProxy'] !== true) {
      problems.push({ path, message: 'is plain http beyond loopback: use https, or set behindProxy: true where a proxy in front speaks TLS' });
    }
    if (protocol === 'https' && top['tls'] === undefined) problems.push({ path, message: 'is https and needs tls: { certificate, key }' });
    const place = `${host} ${port}`;
    if (port !== 0 && taken.has(place)) problems.push({ path, message: 'is the same host and port as another listener' });
    taken.set(place, path);
  }
  return problems;
}

function listenersOf(listen: unknown, admin: unknown): readonly { readonly path: KeyPath; readonly text: string }[] {
  const single = listen === undefined ? DEFAULT_LISTENER : textOf(listen);
  const adminText = textOf(admin);
  return [
    ...(single === undefined ? [] : [{ path: ['listen'], text: single }]),
    ...textsOf(listen).map(({ index, text }) => ({ path: ['listen', index], text })),
    ...(adminText === undefined ? [] : [{ path: ['admin', 'listen'], text: adminText }]),
  ];
}
