import { existsSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../../src/core/errors.ts';
import type { FreeBusyParts } from '../../../../src/freebusy/free-busy.ts';
import { SHARED } from '../../../shared.ts';
import { ewsFace, readResponses } from '../face-questions.ts';
import type { EwsFace } from '../face-questions.ts';

const CAPTURE = `${SHARED}/captures/zimbra/ews-getuseravailability.txt`;
const OWN = new URL('../../../../fixtures/ews/get-user-availability-request/zimbra-two-users/message', import.meta.url);
const REQUESTS = [
  ['the constructed request of the fixture', existsSync(OWN) ? readFileSync(OWN, 'utf8') : ''],
  ...(existsSync(CAPTURE) ? [['the captured request', /<\?xml[\s\S]*?<\/S:Envelope>/.exec(readFileSync(CAPTURE, 'utf8'))![0]]] : []),
] as [string, string][];
const [START, USERS] = [Date.UTC(2026, 2, 2, 8), ['alice@exch.test', 'bob@exch.test']];

interface ZimbraUser {
  readonly slots: string;
  readonly refused: boolean;
}

/**
 * How a stock Zimbra reads the answer (zimbra-measured.md §5): by position, which moves on only at responses with a FreeBusyView; the view must be
 * a merged one, or a second result of no data comes and wins; a character that is no digit it knows is free.
 */
async function asZimbraReads(text: string, users: readonly string[]): Promise<Readonly<Record<string, ZimbraUser>>> {
  const out: Record<string, ZimbraUser> = {};
  let at = 0;
  for (const response of await readResponses(text)) {
    if (!response.hasView) continue;
    const user = users[at++];
    if (user === undefined) break;
    const isMerged = response.view === 'DetailedMerged' || response.view === 'FreeBusyMerged';
    if (response.responseClass === 'Error' || !isMerged) out[user] = { slots: 'n'.repeat(16), refused: response.code === 'ErrorNoFreeBusyAccess' };
    else out[user] = { slots: [...response.merged!].map((digit) => ({ 1: 't', 2: 'b', 3: 'u', 4: 'n' })[digit] ?? 'f').join(''), refused: false };
  }
  return out;
}

let face: EwsFace | undefined;
afterEach(async () => {
  await face?.close();
  face = undefined;
});

async function zimbraSees(request: string, calendars: Record<string, FreeBusyParts | BridgeError>): Promise<Readonly<Record<string, ZimbraUser>>> {
  face = await ewsFace({ calendars });
  const { status, text } = await face.post(request, { accept: 'text/xml, multipart/related', soapaction: '"http://schemas.microsoft.com/exchange/services/2006/messages/GetUserAvailability"' });
  expect(status).toBe(200);
  expect(face.asked[0]!.window).toEqual({ start: START, end: START + 4 * 3_600_000 });
  return asZimbraReads(text, USERS);
}

const busy = (from: number, to: number, busyType: 'busy' | 'tentative' | 'oof' | 'no-data' | 'working-elsewhere') => ({ start: START + from * 60_000, end: START + to * 60_000, busyType });

describe.each(REQUESTS)('a stock Zimbra of type ews, %s', (_name, request) => {
  it('sees each user\'s own time', async () => {
    const calendars = { 'alice@exch.test': { busy: [busy(60, 90, 'busy'), busy(97, 98, 'oof')] }, 'bob@exch.test': { busy: [busy(0, 15, 'tentative'), busy(30, 60, 'no-data'), busy(120, 150, 'working-elsewhere')] } };
    expect(await zimbraSees(request, calendars)).toEqual({ 'alice@exch.test': { slots: 'ffffbbufffffffff', refused: false }, 'bob@exch.test': { slots: 'tfnnffffffffffff', refused: false } });
  });

  it('never sees one user\'s time under another\'s name, whichever of them is unknown or cannot be read', async () => {
    const day = { busy: [busy(0, 240, 'busy')] };
    const nobody = { slots: 'n'.repeat(16), refused: false };
    const full = { slots: 'b'.repeat(16), refused: false };
    expect(await zimbraSees(request, { 'bob@exch.test': day })).toEqual({ 'alice@exch.test': nobody, 'bob@exch.test': full });
    await face!.close();
    expect(await zimbraSees(request, { 'alice@exch.test': day })).toEqual({ 'alice@exch.test': full, 'bob@exch.test': nobody });
    await face!.close();
    expect(await zimbraSees(request, { 'alice@exch.test': new BridgeError('BACKEND_UNREACHABLE', 'gone'), 'bob@exch.test': day })).toEqual({ 'alice@exch.test': nobody, 'bob@exch.test': full });
  });

  it('gets details where a calendar has events, in a view it takes', async () => {
    const calendars = { 'alice@exch.test': { events: [{ ...busy(60, 90, 'busy'), subject: 'Review' }] }, 'bob@exch.test': {} };
    expect(await zimbraSees(request, calendars)).toEqual({ 'alice@exch.test': { slots: 'ffffbbffffffffff', refused: false }, 'bob@exch.test': { slots: 'f'.repeat(16), refused: false } });
  });
});
