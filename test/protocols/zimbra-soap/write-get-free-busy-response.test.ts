import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../../src/core/clock.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import { encodeGetFreeBusyResponse } from '../../../src/protocols/zimbra-soap/write-get-free-busy-response.ts';
import { turnsDuring } from '../../event-loop-turns.ts';

const START = 1794988800000;

describe('a large question', () => {
  it('of 500 mailboxes lets others run while it is answered', async () => {
    const events = Array.from({ length: 60 * 4 }, (_, index) => ({ start: START + index * 6 * HOUR_MS, end: START + (index * 6 + 1) * HOUR_MS, busyType: 'busy' as const }));
    const ids = Array.from({ length: 500 }, (_, index) => `u${index}@zimbra.example`);
    const window = { start: START, end: START + 60 * DAY_MS };
    const freeBusy = freeBusyFrom('u@zimbra.example' as MailboxAddress, window, { events });
    let text = '';
    const turns = await turnsDuring(async () => {
      ({ text } = await encodeGetFreeBusyResponse(ids.map((id) => ({ id, freeBusy })), window, 'free'));
    });
    expect(text.match(/<b /g)).toHaveLength(500 * 240);
    // 240,000 slots, busy and free, LIMITS.zimbraSlotsPerTurn a turn.
    expect(turns).toBeGreaterThanOrEqual(100);
  });

  it.each(['1.2', 'js'] as const)('of one mailbox with 50,000 appointments lets others run too (%s)', async (format) => {
    const events = Array.from({ length: 50_000 }, (_, index) => ({ start: START + index * 60_000, end: START + index * 60_000 + 30_000, busyType: 'busy' as const }));
    const window = { start: START, end: START + 50_000 * 60_000 };
    const freeBusy = freeBusyFrom('u@zimbra.example' as MailboxAddress, window, { events });
    let text = '';
    const turns = await turnsDuring(async () => {
      ({ text } = await encodeGetFreeBusyResponse([{ id: 'u@zimbra.example', freeBusy }], window, 'free', format));
    });
    expect(text.match(format === 'js' ? /\{"s":/g : /<[bf] s=/g)).toHaveLength(100_000);
    expect(turns).toBeGreaterThanOrEqual(40);
  });
});
