import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { freeBusyFrom } from '../../../src/freebusy/free-busy.ts';
import { encodeCreateItem } from '../../../src/protocols/ews/create-item.ts';
import { encodeDeleteItem } from '../../../src/protocols/ews/delete-item.ts';
import { encodeFindFolder } from '../../../src/protocols/ews/find-folder.ts';
import { encodeFindItem } from '../../../src/protocols/ews/find-item.ts';
import { encodeGetPublicFoldersRoot } from '../../../src/protocols/ews/get-folder.ts';
import { encodeGetItem } from '../../../src/protocols/ews/get-item.ts';
import { encodeGetUserAvailabilityRequest } from '../../../src/protocols/ews/get-user-availability.ts';
import type { AvailabilityQuestion } from '../../../src/protocols/ews/get-user-availability.ts';
import { encodeRequest } from '../../../src/protocols/ews/names.ts';
import { encodeResolveNames } from '../../../src/protocols/ews/resolve-names.ts';
import { encodeUpdateItem } from '../../../src/protocols/ews/update-item.ts';
import { encodeFreeBusyMessage } from '../../../src/protocols/schedule-plus/encode-free-busy-message.ts';
import { child, childText, descend } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { writeXml, XmlText } from '../../../src/platform/xml/write.ts';
import type { XmlNode } from '../../../src/platform/xml/write.ts';
import { CAN_VALIDATE, EWS_SCHEMA } from '../../shared.ts';


const anyone = (count: number): MailboxAddress[] => Array.from({ length: count }, (_, index) => `p${index}@works.example` as MailboxAddress);
const day = { start: Date.parse('2026-03-10T00:00:00Z'), end: Date.parse('2026-03-11T00:00:00Z') };
const question = (over: Partial<AvailabilityQuestion> = {}): AvailabilityQuestion => ({ mailboxes: anyone(2), window: day, details: false, ...over });

const publication = { start: Date.parse('2026-03-01T00:00:00Z'), end: Date.parse('2026-06-01T00:00:00Z') };
const IDENTITY = '/o=Works & Söhne/ou=First "Administrative" Group/cn=Recipients/cn=jdoe';
const everyType = (['busy', 'tentative', 'oof'] as const).map((busyType, index) => ({ busyType, start: publication.start + index * 3_600_000, end: publication.start + (index + 1) * 3_600_000 }));
const FULL = encodeFreeBusyMessage(IDENTITY, freeBusyFrom(anyone(1)[0]!, publication, { busy: everyType }), publication.start);
const EMPTY = encodeFreeBusyMessage(IDENTITY, freeBusyFrom(anyone(1)[0]!, publication, {}), publication.start);

const BODIES: readonly (readonly [string, XmlNode | XmlText])[] = [
  ['GetUserAvailability', encodeGetUserAvailabilityRequest(question())],
  ['GetUserAvailability with details', encodeGetUserAvailabilityRequest(question({ details: true }))],
  ['GetUserAvailability for a hundred', encodeGetUserAvailabilityRequest(question({ mailboxes: anyone(100) }))],
  ['GetUserAvailability with odd addresses', encodeGetUserAvailabilityRequest(question({ mailboxes: ["o'neil&söhne@works.example", 'a+b=c{d}@münchen.example'] as MailboxAddress[] }))],
  ['GetUserAvailability for five minutes', encodeGetUserAvailabilityRequest(question({ window: { start: day.start + 61_000, end: day.start + 300_000 } }))],
  ['GetFolder', encodeGetPublicFoldersRoot()],
  ['FindFolder', encodeFindFolder('AAAA=', 'EX:/o=Works & Söhne/ou=First "Administrative" Group')],
  ['FindItem for one', encodeFindItem('AAAA=', ['USER-/CN=RECIPIENTS/CN=JDOE'])],
  ['FindItem for several', encodeFindItem('AAAA=', ['USER-/CN=RECIPIENTS/CN=JDOE', "USER-/CN=RECIPIENTS/CN=O'NEIL"])],
  ['GetItem', encodeGetItem(['AAAA=', 'BBBB='])],
  ['CreateItem', encodeCreateItem('AAAA=', FULL)],
  ['CreateItem of somebody who is free', encodeCreateItem('AAAA=', EMPTY)],
  ['UpdateItem', encodeUpdateItem({ id: 'AAAA=', changeKey: 'CQAA' }, FULL)],
  ['UpdateItem that takes every type away', encodeUpdateItem({ id: 'AAAA=', changeKey: undefined }, EMPTY)],
  ['ResolveNames', encodeResolveNames(IDENTITY)],
  ['DeleteItem', encodeDeleteItem([{ id: 'AAAA=', changeKey: 'CQAA' }, { id: 'BBBB=', changeKey: undefined }])],
];

const validate = (document: string): { readonly status: number | null; readonly stderr: string } =>
  spawnSync('xmllint', ['--noout', '--nonet', '--schema', EWS_SCHEMA, '-'], { input: document, encoding: 'utf8' });

describe('the bodies that we send', () => {
  it.runIf(CAN_VALIDATE).each(BODIES)('%s validates against the schema of Microsoft', (_name, body) => {
    const { status, stderr } = validate(body instanceof XmlText ? body.text : writeXml(body));
    expect(stderr.trim()).toBe('- validates');
    expect(status).toBe(0);
  });

  it.runIf(CAN_VALIDATE)('is a judge that refuses a wrong order', () => {
    const wrong = encodeGetUserAvailabilityRequest(question()).text.replace(/(<t:StartTime>.*?<\/t:StartTime>)(<t:EndTime>.*?<\/t:EndTime>)/, '$2$1');
    expect(validate(wrong).status).not.toBe(0);
  });

  it.runIf(CAN_VALIDATE).each([
    ['an update with the item before its field', writeXml(encodeUpdateItem({ id: 'A', changeKey: 'C' }, FULL)).replace(/(<t:ExtendedFieldURI [^>]*>)(<t:PostItem>.*?<\/t:PostItem>)/, '$2$1')],
    ['an array without values', writeXml(encodeCreateItem('A', FULL)).replace(/<t:Values>.*?<\/t:Values>/, '<t:Values/>')],
    ['a subject behind its properties', writeXml(encodeCreateItem('A', FULL)).replace(/(<t:Subject>.*?<\/t:Subject>)(.*)(<\/t:PostItem>)/, '$2$1$3')],
    ['a deletion that does not say how', writeXml(encodeDeleteItem([{ id: 'A', changeKey: 'C' }])).replace(/ DeleteType="\w+"/, '')],
  ])('is a judge that refuses %s', (_name, wrong) => {
    expect(validate(wrong).status).not.toBe(0);
  });

  it('go in a SOAP 1.1 envelope that names the version of 2007 SP1', async () => {
    const root = await readXml(encodeRequest(encodeGetPublicFoldersRoot()));
    expect([root.name, root.ns]).toEqual(['Envelope', 'http://schemas.xmlsoap.org/soap/envelope/']);
    const version = descend(root, 'Header', 'RequestServerVersion');
    expect(version?.ns).toBe('http://schemas.microsoft.com/exchange/services/2006/types');
    expect(version?.attributes).toContainEqual({ name: 'Version', ns: '', value: 'Exchange2007_SP1' });
    expect(descend(root, 'Body', 'GetFolder')?.ns).toBe('http://schemas.microsoft.com/exchange/services/2006/messages');
  });

  it('move the window outward to whole digits, as naive times in a zone that is UTC', async () => {
    const window = { start: Date.parse('2026-03-10T09:07:30Z'), end: Date.parse('2026-03-10T10:46:00Z') };
    const request = await readXml(encodeGetUserAvailabilityRequest(question({ window })).text);
    const options = child(request, 'FreeBusyViewOptions');
    expect(childText(child(options, 'TimeWindow'), 'StartTime')).toBe('2026-03-10T09:00:00');
    expect(childText(child(options, 'TimeWindow'), 'EndTime')).toBe('2026-03-10T11:00:00');
    expect(childText(options, 'MergedFreeBusyIntervalInMinutes')).toBe('15');
    expect(childText(child(request, 'TimeZone'), 'Bias')).toBe('0');
    expect(childText(descend(request, 'TimeZone', 'StandardTime'), 'Month')).toBe('10');
    expect(childText(descend(request, 'TimeZone', 'DaylightTime'), 'Month')).toBe('3');
  });

  it('ask for digits of five minutes where the window is shorter than a quarter of an hour', async () => {
    const window = { start: Date.parse('2026-03-10T09:01:00Z'), end: Date.parse('2026-03-10T09:02:00Z') };
    const options = child(await readXml(encodeGetUserAvailabilityRequest(question({ window })).text), 'FreeBusyViewOptions');
    expect(childText(options, 'MergedFreeBusyIntervalInMinutes')).toBe('5');
    expect(childText(child(options, 'TimeWindow'), 'EndTime')).toBe('2026-03-10T09:05:00');
  });

  it('ask for details only where they are wanted', async () => {
    for (const [details, view] of [[false, 'FreeBusyMerged'], [true, 'DetailedMerged']] as const) {
      const request = await readXml(encodeGetUserAvailabilityRequest(question({ details })).text);
      expect(childText(child(request, 'FreeBusyViewOptions'), 'RequestedView')).toBe(view);
    }
  });
});
