import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { PRESENCE_STATES } from '../../../src/presence/presence.ts';
import type { ShownPresence } from '../../../src/presence/presence.ts';
import { encodePidf, presUri } from '../../../src/protocols/pidf/encode-pidf.ts';

const ANNA = 'anna@corp.example' as MailboxAddress;
const at = (time: string): number => Date.parse(`2026-03-02T${time}Z`);
const MEETING: ShownPresence = {
  state: 'in-a-meeting',
  until: at('10:00:00'),
  reason: 'calendar',
  since: at('09:00:00'),
  next: { state: 'away', start: at('12:00:00'), end: at('17:30:00') },
  text: 'In a meeting',
  language: 'en',
};
const FREE: ShownPresence = { ...MEETING, state: 'available', until: null, next: null, text: '' };

describe('a presence document', () => {
  it('of a meeting: open tuple, the next stretch, the note, and a person with the activity until its end', () => {
    expect(encodePidf(ANNA, MEETING)).toBe(
      '<?xml version="1.0" encoding="utf-8"?>' +
        '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" xmlns:ts="urn:ietf:params:xml:ns:pidf:timed-status" entity="pres:anna@corp.example">' +
        '<tuple id="t46df25d6e42a"><status><basic>open</basic></status>' +
        '<ts:timed-status from="2026-03-02T12:00:00Z" until="2026-03-02T17:30:00Z"><ts:basic>open</ts:basic><r:activities><r:away/></r:activities></ts:timed-status>' +
        '<note xml:lang="en">In a meeting</note><timestamp>2026-03-02T09:00:00Z</timestamp></tuple>' +
        '<dm:person id="p46df25d6e42a"><r:activities until="2026-03-02T10:00:00Z"><r:meeting/></r:activities><dm:timestamp>2026-03-02T09:00:00Z</dm:timestamp></dm:person></presence>',
    );
  });

  it('of somebody available: open, and nothing else', () => {
    expect(encodePidf(ANNA, FREE)).toBe(
      '<?xml version="1.0" encoding="utf-8"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:anna@corp.example"><tuple id="t46df25d6e42a"><status><basic>open</basic></status><timestamp>2026-03-02T09:00:00Z</timestamp></tuple></presence>',
    );
  });

  it('is never open where nothing is known', () => {
    const document = encodePidf(ANNA, { ...FREE, state: 'unknown' });
    expect(document).not.toContain('open');
    expect(document).not.toContain('<tuple');
    expect(document).toContain('<r:unknown/>');
  });

  it.each([
    ['on-the-phone', 'open', '<r:on-the-phone/>'],
    ['do-not-disturb', 'open', '<r:busy/>'],
    ['away', 'open', '<r:away/>'],
    ['offline', 'closed', '<timestamp>'],
  ] as const)('%s is %s with %s', (state, basic, activity) => {
    const document = encodePidf(ANNA, { ...FREE, state });
    expect(document).toContain(`<status><basic>${basic}</basic></status>`);
    expect(document).toContain(activity);
  });

  it('leaves the next stretch out once it has begun (RFC 4481 §3: never about the present)', () => {
    expect(encodePidf(ANNA, MEETING, { now: at('11:59:59') })).toContain('ts:timed-status');
    expect(encodePidf(ANNA, MEETING, { now: at('12:00:00') })).not.toContain('timed-status');
    expect(encodePidf(ANNA, { ...MEETING, next: { ...MEETING.next!, start: MEETING.since } })).not.toContain('timed-status');
  });

  it('says nothing of an end that is not known', () => {
    const document = encodePidf(ANNA, { ...MEETING, until: null, next: { state: 'in-a-meeting', start: at('12:00:00'), end: null } });
    expect(document).not.toContain('until');
  });

  it('has the same ids for a mailbox always, other ids for another, and no trace of its name', () => {
    const ids = (mailbox: string): readonly string[] => [...encodePidf(mailbox as MailboxAddress, MEETING).matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);
    expect(ids('anna@corp.example')).toEqual(ids('anna@corp.example'));
    expect(new Set([...ids('anna@corp.example'), ...ids('bernd@corp.example')]).size).toBe(4);
    expect(ids('anna@corp.example').join()).not.toContain('anna');
  });

  it('escapes entity, text and language', () => {
    const document = encodePidf(ANNA, { ...MEETING, text: 'a < b & "c"\u0001', language: 'de-"AT' }, { entity: 'sip:a"b@corp.example' });
    expect(document).toContain('entity="sip:a&quot;b@corp.example"');
    expect(document).toContain('<note xml:lang="de-&quot;AT">a &lt; b &amp; &quot;c&quot;</note>');
  });

  it('escapes an address as RFC 3859 and RFC 6068 want it', () => {
    expect(presUri("o'neil+x%y#z?@corp.example" as MailboxAddress)).toBe("pres:o'neil+x%25y%23z%3F@corp.example");
    expect(presUri('jürgen@corp.example' as MailboxAddress)).toBe('pres:j%C3%BCrgen@corp.example');
  });
});

const CAN_VALIDATE = process.env['REQUIRE_PEERS'] === '1' || spawnSync('xmllint', ['--version']).error === undefined;

describe.skipIf(!CAN_VALIDATE)('by the schemas of the RFCs (xmllint)', () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'pidf-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  const complaints = (documents: readonly string[]): string => {
    const files = documents.map((document, index) => {
      const file = join(folder, `${index}.xml`);
      writeFileSync(file, document);
      return file;
    });
    const { stderr } = spawnSync('xmllint', ['--noout', '--nonet', '--schema', join('fixtures', 'pidf', 'schema', 'all.xsd'), ...files], { encoding: 'utf8' });
    return stderr.replaceAll(/^.* validates\n/gm, '');
  };

  it('every state is valid, with and without the next one, an end, a text', () => {
    const documents = PRESENCE_STATES.flatMap((state) =>
      [MEETING, FREE].flatMap((shown) => [MEETING.next, { ...MEETING.next!, state: 'unknown' as const, end: null }].map((next) => encodePidf(ANNA, { ...shown, state, next, since: at('08:00:00') + 7 }))),
    );
    expect(complaints(documents)).toBe('');
  });

  it('and the schemas notice mistakes', () => {
    const broken = encodePidf(ANNA, MEETING);
    expect(complaints([broken.replace('r:meeting', 'r:meating')])).toContain('fails to validate');
    expect(complaints([broken.replace('10:00:00Z', '10 Uhr')])).toContain('fails to validate');
    expect(complaints([broken.replace('>open<', '>offen<')])).toContain('fails to validate');
    expect(complaints([broken.replace(' from="2026-03-02T12:00:00Z"', '')])).toContain('fails to validate');
  });
});
