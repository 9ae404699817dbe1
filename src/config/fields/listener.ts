import type { Listener } from '../config.ts';
import { text } from './field.ts';
import type { Field } from './field.ts';
import { isLoopback } from '../../core/loopback.ts';
import { isHostName } from './network.ts';

/** Where the bridge listens when nothing else is said. */
export const DEFAULT_LISTENER = 'http://127.0.0.1:8480';

/** `http://127.0.0.1:8480`: scheme, host and port, nothing else. Port 0: one that the machine chooses. */
export function listener(): Field<Listener> {
  return text(`http:// or https:// with host and port and nothing else, e.g. ${DEFAULT_LISTENER}`, parseListener);
}

/** Undefined for what is no listener. Without a port it is the scheme's own. */
export function parseListener(value: string): Listener | undefined {
  const match = /^(https?):\/\/[^/?#@\\\s]+\/?$/i.exec(value);
  if (match === null || !URL.canParse(value)) return undefined;
  const url = new URL(value);
  if (!isHostName(url.hostname)) return undefined;
  const protocol = url.protocol === 'https:' ? 'https' : 'http';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? (protocol === 'https' ? 443 : 80) : Number(url.port);
  return { protocol, host, port, isLoopback: isLoopback(host) };
}
