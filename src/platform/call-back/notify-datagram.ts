import { LIMITS } from '../../core/limits.ts';

/**
 * The path to which a datagram speaks, without its slash, and its head as text; undefined for what is no NOTIFY or too long. `NOTIFY httpu://host:port/path HTTP/1.1` and
 * `NOTIFY /path HTTP/1.1`, lines ending with LF, CR or both, in any case (presence.md §B.4).
 */
export function notifyPath(datagram: Buffer): { readonly path: string; readonly head: string } | undefined {
  if (datagram.length > LIMITS.httpuDatagramBytes || !NOTIFY.test(datagram.subarray(0, START_BYTES).toString('latin1'))) return undefined;
  const text = datagram.toString('latin1').replace(/\r\n?/g, '\n').trimStart();
  const end = text.indexOf('\n\n');
  const head = end === -1 ? text : text.slice(0, end);
  const line = head.slice(0, head.indexOf('\n') === -1 ? undefined : head.indexOf('\n'));
  const path = /^NOTIFY[ \t]+(?:httpu:\/\/[^\s/]{1,300})?\/([\w-]{1,64})[ \t]+HTTP\/\d\.\d[ \t]*$/i.exec(line)?.[1];
  return path === undefined ? undefined : { path, head };
}

/** Far enough to see the word behind a few blank lines. */
const START_BYTES = 16;
const NOTIFY = /^\s*NOTIFY[ \t]/i;
