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

/** Says on every request how many bridges the question has passed, this one included. */
export function hopCount(): Interceptor {
  return (dispatch) => (options, handler) => dispatch(withHops(options, HOP_HEADER), handler);
}

/**
 * The same in Zimbra's own header, for systems that are a Zimbra: it keeps its external providers (us among them) out of the
 * answer. Not sent to others: a bridge behind an EWS address would take it for a Zimbra's question.
 */
export function zimbraHopCount(): Interceptor {
  return (dispatch) => (options, handler) => dispatch(withHops(options, ZIMBRA_HOP_HEADER), handler);
}

/** What http-client.ts hands through to the two above. */
export interface HopOptions {
  readonly hops?: number;
}

function withHops(options: Dispatcher.DispatchOptions, header: string): Dispatcher.DispatchOptions {
  const { hops } = options as HopOptions;
  return hops === undefined ? options : { ...options, headers: { ...asRecord(options.headers), [header]: String(hops + 1) } };
}

function asRecord(headers: Dispatcher.DispatchOptions['headers']): Record<string, string> {
  return { ...(headers as Record<string, string> | undefined) };
}
