import { describe, expect, it } from 'vitest';
import { fault } from './answer-text.ts';
import { contextWith, ewsStub } from './ews-stub.ts';
import type { Reply, Seen } from './ews-stub.ts';
import { busyAnswer, outcomes, people, systemOf, WINDOW } from './servers/bench.ts';

const question = { mailboxes: people(1), window: WINDOW, details: false };
const versionOf = (request: Seen): string => /RequestServerVersion [^>]*Version="(\w+)"/.exec(request.body)![1]!;

/** Gives its version with everything, and takes no version that is not in the list. */
function server(major: number, taken: readonly string[], refusal: (request: Seen) => string) {
  return (request: Seen): Reply => {
    const reply = taken.includes(versionOf(request)) ? busyAnswer(request) : { status: 500, body: refusal(request) };
    return { ...reply, body: reply.body!.replace('MajorVersion="15" MinorVersion="2"', `MajorVersion="${major}" MinorVersion="0"`) };
  };
}

const invalidVersion = (): string => fault('ErrorInvalidServerVersion');
/** As a schema that does not have the name says it. */
const notInSchema = (request: Seen): string =>
  fault(
    'ErrorSchemaValidation',
    `<t:LineNumber>2</t:LineNumber><t:LinePosition>80</t:LinePosition><t:Violation>The 'Version' attribute is invalid - The value '${versionOf(request)}' is invalid according to its datatype 'http://schemas.microsoft.com/exchange/services/2006/types:ExchangeVersionType' - The Enumeration constraint failed.</t:Violation>`,
  );

describe('the version that a request claims', () => {
  it.each<readonly [string, ReturnType<typeof server>, readonly string[]]>([
    ['2010', server(14, ['Exchange2007', 'Exchange2007_SP1', 'Exchange2010'], invalidVersion), ['Exchange2007_SP1', 'Exchange2007_SP1']],
    ['2013', server(15, ['Exchange2007_SP1', 'Exchange2010_SP1', 'Exchange2013'], invalidVersion), ['Exchange2007_SP1', 'Exchange2013', 'Exchange2013']],
    ['2007 without its service pack', server(8, ['Exchange2007'], notInSchema), ['Exchange2007_SP1', 'Exchange2007', 'Exchange2007']],
    ['one that calls itself 2013 and is not', server(15, ['Exchange2007_SP1'], invalidVersion), ['Exchange2007_SP1', 'Exchange2013', 'Exchange2010_SP1', 'Exchange2007_SP1', 'Exchange2007_SP1']],
  ])('follows what an Exchange %s says of itself, goes down step by step, and is remembered', async (_name, handle, claimed) => {
    const stub = await ewsStub(handle);
    const system = systemOf([stub.url]);
    for (let round = 0; round < 3; round++) if (stub.seen.length < claimed.length) expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['busy']);
    expect(stub.seen.map(versionOf)).toEqual(claimed);
    for (const { body } of stub.seen) {
      expect(body).toContain('<t:TimeZone>');
      expect(body).not.toContain('TimeZoneContext');
    }
  });

  it('has an end below: a server that takes none is asked four times at most', async () => {
    const stub = await ewsStub(server(15, [], invalidVersion));
    const system = systemOf([stub.url]);
    for (let round = 0; round < 3; round++) expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['BACKEND_FAULT']);
    expect(stub.seen.length).toBeLessThanOrEqual(6);
  });

  it('is not changed because the schema is violated otherwise', async () => {
    const stub = await ewsStub(() => ({ status: 500, body: fault('ErrorSchemaValidation', '<t:Violation>The element FreeBusyViewOptions has invalid child element.</t:Violation>') }));
    const system = systemOf([stub.url]);
    for (let round = 0; round < 2; round++) await system.freeBusy(question, contextWith());
    // The second time it has said that it is 2013 or later.
    expect(stub.seen.map(versionOf)).toEqual(['Exchange2007_SP1', 'Exchange2013']);
  });
});
