import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { decodeGetUserAvailabilityResponse } from '../../../src/protocols/ews/get-user-availability.ts';
import { decodeGetFolderParent } from '../../../src/protocols/ews/get-folder.ts';
import { bodyOf, shown } from './shown.ts';
import type { Shown } from './shown.ts';
import { SHARED } from '../../shared.ts';

const CAPTURES = `${SHARED}/captures/ews-server`;
const here = existsSync(CAPTURES);

// The truth of ews-server-measured.md, in UTC.
const ALICE: Shown = {
  busy: [
    { start: '2026-03-02T06:00:00.000Z', end: '2026-03-02T06:30:00.000Z', type: 'busy' },
    { start: '2026-03-02T09:00:00.000Z', end: '2026-03-02T10:30:00.000Z', type: 'busy' },
    { start: '2026-03-02T10:30:00.000Z', end: '2026-03-02T12:00:00.000Z', type: 'tentative' },
    { start: '2026-03-02T15:00:00.000Z', end: '2026-03-02T16:00:00.000Z', type: 'working-elsewhere' },
    { start: '2026-03-02T17:00:00.000Z', end: '2026-03-02T17:15:00.000Z', type: 'busy' },
    { start: '2026-03-03T00:00:00.000Z', end: '2026-03-04T00:00:00.000Z', type: 'oof' },
  ],
};
const BOB: Shown = { busy: [{ start: '2026-03-02T08:00:00.000Z', end: '2026-03-02T09:00:00.000Z', type: 'oof' }] };
const CAROL: Shown = {
  busy: [
    { start: '2026-03-25T09:00:00.000Z', end: '2026-03-25T10:00:00.000Z', type: 'busy' },
    { start: '2026-04-01T08:00:00.000Z', end: '2026-04-01T09:00:00.000Z', type: 'busy' },
    { start: '2026-04-08T08:00:00.000Z', end: '2026-04-08T09:00:00.000Z', type: 'busy' },
  ],
};
const NOBODY: Shown = { error: 'MAILBOX_UNKNOWN' };
const REFUSED: Shown = { error: 'NO_DATA' };

const CASES: readonly { readonly file: string; readonly from: string; readonly to: string; readonly truth: readonly Shown[] }[] = [
  { file: 'availability-utc', from: '2026-03-02T00:00:00Z', to: '2026-03-04T00:00:00Z', truth: [ALICE, NOBODY, BOB] },
  { file: 'availability-month0', from: '2026-03-02T00:00:00Z', to: '2026-03-04T00:00:00Z', truth: [ALICE, NOBODY, BOB] },
  { file: 'availability-mergedonly', from: '2026-03-02T00:00:00Z', to: '2026-03-04T00:00:00Z', truth: [ALICE, NOBODY, BOB] },
  { file: 'availability-berlin', from: '2026-03-02T00:00:00Z', to: '2026-03-04T00:00:00Z', truth: [ALICE, NOBODY, BOB] },
  { file: 'availability-berlin-dst', from: '2026-03-23T23:00:00Z', to: '2026-04-09T22:00:00Z', truth: [CAROL, NOBODY, { busy: [] }] },
  { file: 'availability-no-timezone', from: '2026-03-02T00:00:00Z', to: '2026-03-04T00:00:00Z', truth: [REFUSED, REFUSED, REFUSED] },
];

describe('the captured answers of grommunio 3.10', () => {
  it.skipIf(!here).each(CASES)('$file gives the truth of the calendars behind it', async ({ file, from, to, truth }) => {
    const results = await decodeGetUserAvailabilityResponse(await bodyOf(readFileSync(`${CAPTURES}/${file}.xml`)), {
      mailboxes: ['first@exch.test', 'nobody@exch.test', 'third@exch.test'] as MailboxAddress[],
      window: { start: Date.parse(from), end: Date.parse(to) },
      details: false,
    });
    const seen = results.map((one) => (('error' in one) ? shown(one) : { busy: (shown(one) as { busy: unknown }).busy }));
    expect(seen).toEqual(truth);
  });

  it.skipIf(!here)('names the public folder root above IPM_SUBTREE', async () => {
    const body = await bodyOf(readFileSync(`${CAPTURES}/getfolder-public.xml`));
    expect(decodeGetFolderParent(body)).toBe('AAAAABpEc5CqZhHNm8gAqgAvxFoDAAEAAAD7CvZ9kZJJiGqnOM4AAAAAAAEAAAI=');
  });
});
