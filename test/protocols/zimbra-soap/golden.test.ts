import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { Interval } from '../../../src/freebusy/interval.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { decodeEnvelope } from '../../../src/protocols/soap/envelope.ts';
import { decodeGetFreeBusyRequest } from '../../../src/protocols/zimbra-soap/get-free-busy-request.ts';
import { decodeGetFreeBusyResponse } from '../../../src/protocols/zimbra-soap/read-get-free-busy-response.ts';

const FIXTURES = new URL('../../../fixtures/zimbra-soap/', import.meta.url);

function casesOf(operation: string): readonly { readonly name: string; readonly message: Promise<XmlElement | undefined>; readonly expected: unknown }[] {
  const folder = new URL(`${operation}/`, FIXTURES);
  return readdirSync(folder).map((name) => ({
    name,
    message: readXml(readFileSync(new URL(`${name}/message.xml`, folder))).then((root) => decodeEnvelope(root).body.children[0]),
    expected: JSON.parse(readFileSync(new URL(`${name}/expected.json`, folder), 'utf8')) as unknown,
  }));
}

describe('GetFreeBusyResponse', () => {
  for (const { name, message, expected } of casesOf('get-free-busy-response')) {
    it(`reads the case ${name} as its expected.json says`, async () => {
      const { asked, results } = expected as { asked: { mailboxes: MailboxAddress[]; window: Interval; details: boolean }; results: unknown };
      const read = decodeGetFreeBusyResponse(await message, { ...asked, now: 1 });
      expect(read.map((one) => one.mailbox)).toEqual(asked.mailboxes);
      const told = read.map((one) =>
        'error' in one ? { error: one.error.code } : { busy: one.freeBusy.busy, ...(one.freeBusy.events === undefined ? {} : { events: one.freeBusy.events }) },
      );
      expect(told).toEqual(results);
    });
  }

  it('refuses another element in its place', async () => {
    const other = await readXml('<AuthResponse xmlns="urn:zimbraAccount"/>');
    expect(() => decodeGetFreeBusyResponse(other, { mailboxes: [], window: { start: 0, end: 1 }, details: false, now: 1 })).toThrow(
      expect.objectContaining({ code: 'BACKEND_MALFORMED' }),
    );
  });
});

describe('GetFreeBusyRequest', () => {
  for (const { name, message, expected } of casesOf('get-free-busy-request')) {
    it(`reads the case ${name} as its expected.json says`, async () => {
      const request = (await message)!;
      try {
        expect(decodeGetFreeBusyRequest(request)).toEqual(expected);
      } catch (error) {
        if (!(error instanceof BridgeError)) throw error;
        expect({ error: error.code, message: error.publicMessage }).toMatchObject(expected as object);
      }
    });
  }
});
