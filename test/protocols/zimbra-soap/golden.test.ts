import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { Interval } from '../../../src/freebusy/interval.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { decodeEnvelope } from '../../../src/protocols/soap/envelope.ts';
import { decodeMessage } from '../../../src/protocols/zimbra-soap/face/soap-message.ts';
import { decodeGetAccountResponse } from '../../../src/protocols/zimbra-soap/get-account.ts';
import { decodeGetAllServersResponse } from '../../../src/protocols/zimbra-soap/get-all-servers.ts';
import { decodeGetAllFreeBusyProvidersResponse } from '../../../src/protocols/zimbra-soap/free-busy-providers.ts';
import { decodeGetFreeBusyRequest } from '../../../src/protocols/zimbra-soap/get-free-busy-request.ts';
import { decodeGetFreeBusyResponse } from '../../../src/protocols/zimbra-soap/read-get-free-busy-response.ts';
import { decodeSearchDirectoryResponse } from '../../../src/protocols/zimbra-soap/search-directory.ts';
import { decodeCreateWaitSetResponse, decodeWaitSetResponse } from '../../../src/protocols/zimbra-soap/wait-set.ts';

const FIXTURES = new URL('../../../fixtures/zimbra-soap/', import.meta.url);

function casesOf(operation: string): readonly { readonly name: string; readonly message: Promise<XmlElement | undefined>; readonly expected: unknown }[] {
  const folder = new URL(`${operation}/`, FIXTURES);
  return readdirSync(folder).map((name) => ({
    name,
    message: readMessage(new URL(`${name}/`, folder)),
    expected: JSON.parse(readFileSync(new URL(`${name}/expected.json`, folder), 'utf8')) as unknown,
  }));
}

/** As it stands on the wire: XML, or Zimbra's JSON. */
async function readMessage(folder: URL): Promise<XmlElement | undefined> {
  const json = new URL('message.json', folder);
  if (existsSync(json)) return (await decodeMessage(readFileSync(json), undefined)).body.children[0];
  return decodeEnvelope(await readXml(readFileSync(new URL('message.xml', folder)))).body.children[0];
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

const ADMIN: Readonly<Record<string, (response: XmlElement | undefined, asked: { limit: number; offset: number }) => unknown>> = {
  'admin-wait-set-response': async (response) => {
    const answer = await decodeWaitSetResponse(response);
    return answer.kind === 'canceled' ? answer : { ...answer, accounts: [...answer.accounts] };
  },
  'admin-create-wait-set-response': decodeCreateWaitSetResponse,
  'get-account-response': decodeGetAccountResponse,
  'get-all-servers-response': decodeGetAllServersResponse,
  'get-all-free-busy-providers-response': decodeGetAllFreeBusyProvidersResponse,
  'search-directory-response': decodeSearchDirectoryResponse,
};

describe.each(Object.entries(ADMIN))('%s', (operation, decode) => {
  for (const { name, message, expected } of casesOf(operation)) {
    it(`reads the case ${name} as its expected.json says`, async () => {
      const { asked, page, error } = expected as { asked?: { limit: number; offset: number }; page?: unknown; error?: string };
      const read = (async () => decode(await message, asked ?? { limit: 1, offset: 0 }))();
      if (error !== undefined) await expect(read).rejects.toMatchObject({ code: error });
      // As JSON, where what is undefined is not there.
      else expect(JSON.parse(JSON.stringify(await read))).toEqual(page ?? expected);
    });
  }
});
