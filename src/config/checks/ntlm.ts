import { DEFAULT_LISTENER, parseListener } from '../fields/listener.ts';
import type { Problem } from '../problems.ts';
import { textOf, textsOf } from './outline.ts';
import type { Outline } from './outline.ts';

/** NTLM authenticates a connection: it takes one that is the client's own, and that nobody on the way can read or answer. */
export function checkNtlm({ top, clients }: Outline): readonly Problem[] {
  const why = mistakeOf(top);
  if (why === undefined) return [];
  return clients.flatMap(({ index, keys }) =>
    textsOf(keys['auth']).flatMap(({ index: place, text }) => (text === 'ntlm' ? [{ path: ['clients', index, 'auth', place], message: why }] : [])),
  );
}

function mistakeOf({ listen, behindProxy }: Outline['top']): string | undefined {
  if (behindProxy === true) return 'ntlm does not go with behindProxy: true: NTLM signs in a connection, and a proxy gives its connections to everybody; use basic';
  const single = listen === undefined ? DEFAULT_LISTENER : textOf(listen);
  const listeners = [...(single === undefined ? [] : [single]), ...textsOf(listen).map(({ text }) => text)].map(parseListener);
  // What is no listener is a mistake of its own.
  if (listeners.length === 0 || listeners.includes(undefined)) return undefined;
  const isPossible = listeners.some((listener) => listener?.protocol === 'https' || listener?.isLoopback === true);
  return isPossible ? undefined : 'ntlm is for https and loopback connections only, and listen has neither; use https';
}
