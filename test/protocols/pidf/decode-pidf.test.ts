import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { decodePidf } from '../../../src/protocols/pidf/decode-pidf.ts';

const FIXTURES = join('fixtures', 'pidf', 'document');
const decode = (text: string): ReturnType<typeof decodePidf> => decodePidf(Buffer.from(text));
const NAMESPACES = 'xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid"';
const presence = (content: string): string => `<presence ${NAMESPACES} entity="sip:a@b">${content}</presence>`;
const tuple = (status: string): string => `<tuple id="t${status.length}"><status>${status}</status></tuple>`;
const person = (activity: string): string => `<dm:person id="p${activity.length}"><r:activities>${activity}</r:activities></dm:person>`;
const OPEN = tuple('<basic>open</basic>');
const CLOSED = tuple('<basic>closed</basic>');

describe('what a watcher sees in a presence document', () => {
  it.each(readdirSync(FIXTURES))('%s', async (name) => {
    const { state } = JSON.parse(readFileSync(join(FIXTURES, name, 'expected.json'), 'utf8')) as { state: string | null };
    expect((await decodePidf(readFileSync(join(FIXTURES, name, 'document.xml')))) ?? null).toBe(state);
  });

  it.each([
    ['one open tuple among closed ones is available', CLOSED + OPEN, 'available'],
    ['all closed is offline', CLOSED + CLOSED, 'offline'],
    ['an activity counts more than open', OPEN + person('<r:meeting/>'), 'in-a-meeting'],
    ['the telephone counts more than the meeting', OPEN + person('<r:meeting/>') + person('<r:on-the-phone/>'), 'on-the-phone'],
    ['busy is do-not-disturb', OPEN + person('<r:busy/>'), 'do-not-disturb'],
    ['vacation is away', OPEN + person('<r:vacation/>'), 'away'],
    ['unknown is never available, whatever stands beside it', OPEN + person('<r:unknown/>'), 'unknown'],
    ['a status that says nothing is unknown', tuple(''), 'unknown'],
    ['a person who does nothing is unknown without a tuple', person(''), 'unknown'],
    ['an activity in the status counts too (older clients)', tuple('<basic>open</basic><r:activities><r:away/></r:activities>'), 'away'],
    ['working and other say nothing', OPEN + person('<r:working/>') + person('<r:other>Budget talks</r:other>'), 'available'],
    ['an activity of a foreign namespace says nothing', OPEN + person('<meeting xmlns="urn:x"/>'), 'available'],
    ['a basic of a foreign namespace says nothing', tuple('<basic xmlns="urn:x">open</basic>'), 'unknown'],
  ])('%s', async (_what, content, state) => {
    expect(await decode(presence(content))).toBe(state);
  });

  it.each([
    ['nothing', ''],
    ['no XML', 'open'],
    ['a truncated document', presence(OPEN).slice(0, -5)],
    ['another document', '<presence xmlns="jabber:client"/>'],
    ['a DOCTYPE', `<!DOCTYPE presence [<!ENTITY a "b">]>${presence(OPEN)}`],
    ['too many nodes', presence('<tuple id="a"/>'.repeat(LIMITS.pidfNodes))],
    ['too deep', presence('<a>'.repeat(1_000) + '</a>'.repeat(1_000))],
  ])('%s is refused', async (_what, text) => {
    await expect(decode(text)).rejects.toMatchObject({ code: 'BACKEND_MALFORMED' });
  });

  it('what is too large is refused without being read', async () => {
    await expect(decodePidf(Buffer.alloc(LIMITS.pidfBytes + 1, '<'))).rejects.toMatchObject({ code: 'BACKEND_TOO_LARGE' });
  });
});
