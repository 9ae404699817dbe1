import { MINUTE_MS } from '../core/clock.ts';
import { child, childrenNamed, childText } from '../platform/xml/element.ts';
import { readXml } from '../platform/xml/read.ts';
import { tile } from './status-row.ts';
import type { Status } from './status-row.ts';
import type { Credentials } from './stand-in-credentials.ts';
import { writeBasic } from './stand-in-credentials.ts';
import { openWire } from './wire-request.ts';
import type { ShownMailbox, Window } from './zimbra-client.ts';

/** Of the digits asked for. */
export const INTERVAL_MINUTES = 30;
const STATUSES: Readonly<Record<string, Status>> = { '0': 'free', '1': 'tentative', '2': 'busy', '3': 'oof', '4': 'no-data' };

/**
 * Asks as a program on the Exchange side asks OWA about users of another server (exchange.md §2.4, the example of KB 813268):
 * encoded, times in UTC, Basic at once. Of the bridge, which plays OWA, or of an Exchange itself. More careful than Zimbra: who is missing or cut short is unknown, not free.
 *
 * @throws Error when the status is not 200 or the answer is no XML.
 */
export async function askAsExchangeUser(serverUrl: string, addresses: readonly string[], window: Window, credentials: Credentials): Promise<readonly ShownMailbox[]> {
  const url = new URL(serverUrl);
  const wire = openWire(url);
  try {
    const answer = await wire.send('GET', exchangeUserTarget(addresses, window), [
      'Host', url.host, 'User-Agent', 'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.2)', 'Authorization', writeBasic(credentials), 'Connection', 'close',
    ]);
    if (answer.status !== 200) throw new Error(`the server answered ${answer.status}`);
    const items = childrenNamed(child(await readXml(answer.body), 'recipients'), 'item');
    return addresses.map((address) => {
      const digits = childText(items.find((one) => childText(one, 'email')?.toLowerCase() === address.toLowerCase()), 'fbdata') ?? '';
      return shownByDigits(address, digits, window);
    });
  } finally {
    wire.close();
  }
}

/** What digits of INTERVAL_MINUTES from the window's start say of somebody; where there are none nothing is known. */
export function shownByDigits(address: string, digits: string, window: Window): ShownMailbox {
  const slots = Math.ceil((window.end - window.start) / (INTERVAL_MINUTES * MINUTE_MS));
  const stretches = Array.from({ length: slots }, (_, slot) => ({
    start: window.start + slot * INTERVAL_MINUTES * MINUTE_MS,
    end: window.start + (slot + 1) * INTERVAL_MINUTES * MINUTE_MS,
    status: STATUSES[digits.charAt(slot)] ?? ('no-data' as const),
  }));
  return { address, slots: tile(stretches, window.start, window.end) };
}

export function exchangeUserTarget(addresses: readonly string[], window: Window): string {
  const time = (at: number): string => new Date(at).toISOString().replace(/\.\d+/, '');
  const users = addresses.map((one) => `&u=SMTP:${encodeURIComponent(one).replaceAll('%40', '@')}`);
  return `/public/?cmd=freebusy&start=${time(window.start)}&end=${time(window.end)}&interval=${INTERVAL_MINUTES}${users.join('')}`;
}
