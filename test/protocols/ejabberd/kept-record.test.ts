import { expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { decodeRecord, encodeRecord } from '../../../src/protocols/ejabberd/kept-record.ts';
import type { KeptRecord } from '../../../src/protocols/ejabberd/kept-record.ts';

const RECORD: KeptRecord = {
  state: 'in-a-meeting',
  since: 1_795_255_200_000,
  activity: 'working in_a_meeting en In a meeting',
  sessions: new Map([
    ['desk', { startedAt: 1_795_255_000_000, before: { show: 'away', status: 'lunch' }, ours: { show: 'dnd', status: 'In a meeting' } }],
    ['__proto__', { startedAt: 0, before: { show: 'available', status: '' }, ours: { show: 'dnd', status: 'ä"\\' } }],
  ]),
};

it('is read as it was written', () => {
  expect(decodeRecord(encodeRecord(RECORD))).toEqual(RECORD);
  const bare: KeptRecord = { state: undefined, since: 0, activity: undefined, sessions: new Map() };
  expect(decodeRecord(encodeRecord(bare))).toEqual(bare);
});

it.each([
  undefined,
  '',
  '{',
  'null',
  '[]',
  '{"since":1,"sessions":{}}',
  '{"since":"1","sessions":[]}',
  '{"state":"busy","since":1,"sessions":[]}',
  '{"since":1,"activity":5,"sessions":[]}',
  '{"since":1,"sessions":[["desk"]]}',
  '{"since":1,"sessions":[["desk",{"startedAt":1,"before":{"show":"busy","status":""},"ours":{"show":"dnd","status":""}}]]}',
  '{"since":1,"sessions":[["desk",{"startedAt":1,"before":{"show":"dnd"},"ours":{"show":"dnd","status":""}}]]}',
  encodeRecord(RECORD).slice(0, -5),
  JSON.stringify({ since: 1, sessions: [], activity: 'x'.repeat(LIMITS.ejabberdRecordCharacters) }),
])('is not read from %s', (text) => {
  expect(decodeRecord(text)).toBeUndefined();
});
