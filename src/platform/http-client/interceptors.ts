import type { Dispatcher } from 'undici';

type Interceptor = Dispatcher.DispatcherComposeInterceptor;

/** Adds `Authorization: Basic …` in UTF-8 to every request, without waiting for a challenge. */
export function basicAuthentication(username: string, password: string): Interceptor {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
  return (dispatch) => (options, handler) => dispatch({ ...options, headers: { ...asRecord(options.headers), authorization } }, handler);
}

/** The header by which bridges count how often a question was passed on. */
export const HOP_HEADER = 'x-freebusy-bridge-hops';
/** The header of Zimbra's external free/busy provider; the first hop is 0 (zimbra.md §4.9). */
export const ZIMBRA_HOP_HEADER = 'x-zimbra-freebusy-hopcount';

/** Says on every request how many bridges and Zimbra servers the question has passed, this one included. */
export function hopCount(): Interceptor {
  return (dispatch) => (options, handler) => {
    const hops = (options as HopOptions).hops;
    if (hops === undefined) return dispatch(options, handler);
    const count = String(hops + 1);
    return dispatch({ ...options, headers: { ...asRecord(options.headers), [HOP_HEADER]: count, [ZIMBRA_HOP_HEADER]: count } }, handler);
  };
}

/** What http-client.ts hands through to `hopCount`. */
export interface HopOptions {
  readonly hops?: number;
}

function asRecord(headers: Dispatcher.DispatchOptions['headers']): Record<string, string> {
  return { ...(headers as Record<string, string> | undefined) };
}
