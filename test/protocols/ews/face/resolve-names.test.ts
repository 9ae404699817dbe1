import { describe, expect, it } from 'vitest';
import { childText, descend } from '../../../../src/platform/xml/element.ts';
import { EwsFault } from '../../../../src/protocols/ews/face/faults.ts';
import { SCHEMA_VERSIONS } from '../../../../src/protocols/ews/face/schema-version.ts';
import { ask, bodyOf } from './asked.ts';
import type { Asking } from './asked.ts';

const resolve = (entry: string, attributes = 'ReturnFullContactData="true" SearchScope="ActiveDirectory"', asking?: Asking) =>
  ask(bodyOf('ResolveNames', `<m:UnresolvedEntry>${entry}</m:UnresolvedEntry>`, attributes), asking);

describe('ResolveNames', () => {
  it.each(SCHEMA_VERSIONS)('resolves the address of a served domain to itself for %s', async (version) => {
    const { codes, messages } = await resolve('anna@corp.example', undefined, { version });
    expect(codes).toEqual(['NoError']);
    const resolution = descend(messages[0], 'ResolutionSet', 'Resolution');
    const mailbox = descend(resolution, 'Mailbox');
    expect(mailbox?.children.map((one) => [one.name, one.text])).toEqual([
      ['Name', 'anna@corp.example'],
      ['EmailAddress', 'anna@corp.example'],
      ['RoutingType', 'SMTP'],
      ['MailboxType', 'Mailbox'],
    ]);
    expect(childText(descend(resolution, 'Contact', 'EmailAddresses'), 'Entry')).toBe('SMTP:anna@corp.example');
  });

  it.each(['smtp:anna@corp.example', 'SMTP:Anna@Corp.Example', '  mailto:anna@corp.example ', 'ANNA@CORP.EXAMPLE', '=smtp:anna@corp.example', '=anna@corp.example'])('takes %s for the same address', async (entry) => {
    const { text } = await resolve(entry, 'ReturnFullContactData="false"');
    expect(text).toContain('<t:EmailAddress>anna@corp.example</t:EmailAddress>');
    expect(text).not.toContain('Contact');
  });

  it('resolves a mailbox of its own whose domain is not served', async () => {
    expect((await resolve('guest@elsewhere.example')).codes).toEqual(['NoError']);
    expect((await resolve('other@elsewhere.example')).codes).toEqual(['ErrorNameResolutionNoResults']);
  });

  it.each([
    ['a name', 'anna'],
    ['a part of an address', 'anna@corp'],
    ['another domain', 'anna@other.example'],
    ['a domain that this client may not ask about', 'anna@hidden.example'],
    ['a list of addresses', 'anna@corp.example;bernd@corp.example'],
    ['an address with a slash', '../anna@corp.example'],
    ['an invisible character', 'an\u200bna@corp.example'],
    ['a legacyExchangeDN', '/o=Corp/ou=Group/cn=Recipients/cn=anna'],
    ['a hundred thousand characters', `${'a'.repeat(100_000)}@corp.example`],
  ])('finds nobody for %s', async (_what, entry) => {
    const { codes, messages, text } = await resolve(entry);
    expect(codes).toEqual(['ErrorNameResolutionNoResults']);
    expect(messages[0]?.attributes.map((one) => one.value)).toEqual(['Error']);
    expect(childText(messages[0], 'MessageText')).toBe('No results were found.');
    expect(text).not.toContain('anna');
  });

  it('finds nobody among the client\'s own contacts, of which there are none', async () => {
    expect((await resolve('anna@corp.example', 'ReturnFullContactData="true" SearchScope="Contacts"')).codes).toEqual(['ErrorNameResolutionNoResults']);
  });

  it('finds nobody for a client that is refused everything', async () => {
    expect((await resolve('anna@corp.example', undefined, { requester: { detail: 'none' } })).codes).toEqual(['ErrorNameResolutionNoResults']);
  });

  it.each([
    ['no entry', bodyOf('ResolveNames', '', 'ReturnFullContactData="true"')],
    ['an empty one', bodyOf('ResolveNames', '<m:UnresolvedEntry> </m:UnresolvedEntry>', 'ReturnFullContactData="true"')],
    ['one of another namespace', bodyOf('ResolveNames', '<t:UnresolvedEntry>anna@corp.example</t:UnresolvedEntry>', 'ReturnFullContactData="true"')],
  ])('refuses a request with %s as against the schema', async (_what, body) => {
    await expect(ask(body)).rejects.toSatisfy((error) => error instanceof EwsFault && error.code === 'ErrorSchemaValidation');
  });
});

it.each(['SearchScope="Foo"', 'ReturnFullContactData="maybe"'])('an attribute that the schema does not have is a mistake in the question: %s', async (attributes) => {
  await expect(ask(bodyOf('ResolveNames', '<m:UnresolvedEntry>kim@corp.example</m:UnresolvedEntry>', attributes))).rejects.toMatchObject({ code: 'ErrorSchemaValidation' });
});
