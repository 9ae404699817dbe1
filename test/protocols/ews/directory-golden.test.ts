import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { writeXml } from '../../../src/platform/xml/write.ts';
import { decodeFindPeople, encodeFindPeople } from '../../../src/protocols/ews/find-people.ts';
import { decodeResolutions, encodeFullResolveNames } from '../../../src/protocols/ews/resolutions.ts';
import { CAN_VALIDATE, EWS_SCHEMA } from '../../shared.ts';
import { bodyOf } from './shown.ts';

const DECODERS = { 'resolve-names': decodeResolutions, 'find-people': decodeFindPeople } as const;

for (const [operation, decode] of Object.entries(DECODERS)) {
  const root = new URL(`../../../fixtures/ews/${operation}/`, import.meta.url);
  describe(`golden ${operation} answers`, () => {
    for (const name of readdirSync(root)) {
      it(`${name} is read as its expected.json says`, async () => {
        const expected: unknown = JSON.parse(readFileSync(new URL(`${name}/expected.json`, root), 'utf8'));
        expect(readFileSync(new URL(`${name}/SOURCE.md`, root), 'utf8')).not.toBe('');
        expect(JSON.parse(JSON.stringify(decode(await bodyOf(readFileSync(new URL(`${name}/message`, root))))))).toEqual(expected);
      });
    }
  });
}

const ERROR = (code: string): string =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ResolveNamesResponse><ResponseMessages><ResolveNamesResponseMessage ResponseClass="Error"><ResponseCode>${code}</ResponseCode></ResolveNamesResponseMessage></ResponseMessages></ResolveNamesResponse></s:Body></s:Envelope>`;
const WRAPPED = (inside: string): string => `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${inside}</s:Body></s:Envelope>`;

describe('answers that are none', () => {
  it.each([
    ['an error', ERROR('ErrorNameResolutionNoMailbox'), 'BACKEND_FAULT'],
    ['a busy server', ERROR('ErrorServerBusy'), 'BACKEND_BUSY'],
    ['no message', WRAPPED('<ResolveNamesResponse/>'), 'BACKEND_MALFORMED'],
    ['several that are not named', WRAPPED('<ResolveNamesResponse><ResponseMessages><ResolveNamesResponseMessage ResponseClass="Warning"><ResponseCode>ErrorNameResolutionMultipleResults</ResponseCode></ResolveNamesResponseMessage></ResponseMessages></ResolveNamesResponse>'), 'BACKEND_MALFORMED'],
    ['another operation\'s', WRAPPED('<FindPeopleResponse/>'), 'BACKEND_MALFORMED'],
  ])('%s of ResolveNames', async (_what, text, code) => {
    const body = await bodyOf(Buffer.from(text));
    expect(() => decodeResolutions(body)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['no answer', WRAPPED('<x/>'), 'BACKEND_MALFORMED'],
    ['no total', WRAPPED('<FindPeopleResponse ResponseClass="Success"><ResponseCode>NoError</ResponseCode><People/></FindPeopleResponse>'), 'BACKEND_MALFORMED'],
    ['a total that is none', WRAPPED('<FindPeopleResponse ResponseClass="Success"><ResponseCode>NoError</ResponseCode><People/><TotalNumberOfPeopleInView>-1</TotalNumberOfPeopleInView></FindPeopleResponse>'), 'BACKEND_MALFORMED'],
    ['no success', WRAPPED('<FindPeopleResponse><TotalNumberOfPeopleInView>0</TotalNumberOfPeopleInView></FindPeopleResponse>'), 'BACKEND_FAULT'],
  ])('%s of FindPeople', async (_what, text, code) => {
    const body = await bodyOf(Buffer.from(text));
    expect(() => decodeFindPeople(body)).toThrow(expect.objectContaining({ code }));
  });
});

it.runIf(CAN_VALIDATE).each([
  ['ResolveNames', encodeFullResolveNames('a')],
  ['FindPeople', encodeFindPeople(500)],
])('our %s validates against the schema of Microsoft', (_name, body) => {
  const { stderr } = spawnSync('xmllint', ['--noout', '--nonet', '--schema', EWS_SCHEMA, '-'], { input: writeXml(body), encoding: 'utf8' });
  expect(stderr.trim()).toBe('- validates');
});
