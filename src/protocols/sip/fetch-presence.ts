import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { untilAborted } from '../../core/until-aborted.ts';
import { PIDF_TYPE } from '../pidf/names.ts';
import { newId, tagOf } from './client.ts';
import type { SipClient } from './client.ts';
import { responseFailure } from './faults.ts';
import { readParameterized } from './header-value.ts';
import { headerOf } from './message.ts';
import type { SipRequest } from './message.ts';
import { PRESENCE_EVENT } from './names.ts';

/** What a SUBSCRIBE may be refused with that says "not here" or "not you", and nothing about the user. */
const UNSUPPORTED = new Set([403, 405, 489, 501, 603]);

/**
 * Asks once for what watchers see (RFC 3856 §6.4, RFC 6665 §4.4.3): a SUBSCRIBE that lasts no time, and the NOTIFY that answers it, which may come before the response.
 *
 * @returns the document of the NOTIFY; undefined where it has none: nothing is published
 * @throws BridgeError UNSUPPORTED where the server lets us not watch; what `request` and `responseFailure` say; BACKEND_UNREACHABLE where no NOTIFY comes
 */
export async function fetchPresence(client: SipClient, uri: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const [callId, fromTag] = [newId(), newId()];
  let taken: (notify: SipRequest) => void = () => undefined;
  const notified = new Promise<SipRequest>((resolve) => (taken = resolve));
  const stop = client.onNotify(callId, (request) => {
    if (tagOf(headerOf(request, 'to')) !== fromTag || readParameterized(headerOf(request, 'event') ?? '').value.toLowerCase() !== PRESENCE_EVENT) return false;
    taken(request);
    return true;
  });
  try {
    const headers = [
      { name: 'Event', value: PRESENCE_EVENT },
      { name: 'Expires', value: '0' },
      { name: 'Accept', value: PIDF_TYPE },
    ];
    const response = await client.request({ method: 'SUBSCRIBE', uri, headers, hasContact: true, callId, fromTag }, signal);
    if (response.status >= 300) throw UNSUPPORTED.has(response.status) ? notForUs(response.status) : responseFailure(response);
    return documentOf(await arrived(notified, signal));
  } finally {
    stop();
  }
}

async function arrived(notified: Promise<SipRequest>, signal: AbortSignal): Promise<SipRequest> {
  try {
    return await untilAborted(notified, signal, LIMITS.sipNotifyMs);
  } catch (error) {
    if (signal.aborted) throw error;
    throw new BridgeError('BACKEND_UNREACHABLE', 'the presence server said nothing after the subscription', { temporary: true, details: { advice: 'can it reach the bridge on the connection that the request came by?' } });
  }
}

function documentOf(notify: SipRequest): Uint8Array | undefined {
  const { value, parameters } = readParameterized(headerOf(notify, 'subscription-state') ?? '');
  // RFC 3856 §6.6.2: whoever is not (or not yet) allowed to watch sees a made-up state.
  if (value.toLowerCase() === 'pending' || parameters.get('reason')?.toLowerCase() === 'rejected') throw notForUs(undefined);
  if (notify.body.length === 0) return undefined;
  const type = readParameterized(headerOf(notify, 'content-type') ?? '').value.toLowerCase();
  if (type !== PIDF_TYPE) throw new BridgeError('UNSUPPORTED', 'the presence server shows watchers no PIDF document');
  return notify.body;
}

function notForUs(status: number | undefined): BridgeError {
  return new BridgeError('UNSUPPORTED', 'the presence server does not let the bridge watch', { details: { ...(status === undefined ? {} : { status }), advice: 'let users watch themselves, or do without the canary' } });
}
