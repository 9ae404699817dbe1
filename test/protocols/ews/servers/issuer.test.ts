import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../../src/core/errors.ts';
import { ISSUER } from '../../../../src/platform/http-client/authentication.ts';
import { contextWith, ewsStub } from '../ews-stub.ts';
import { busyAnswer, hands, outcomes, people, systemOf, WINDOW } from './bench.ts';

describe('an issuer that gives no token', () => {
  it.each([
    new BridgeError('BACKEND_UNREACHABLE', 'the issuer of tokens does not answer', { temporary: true, details: { by: ISSUER } }),
    new BridgeError('BACKEND_AUTH', 'the issuer gives the bridge no token', { details: { status: 401, by: ISSUER } }),
    new BridgeError('BACKEND_BUSY', 'the issuer of tokens is too busy', { temporary: true, details: { status: 503, by: ISSUER } }),
  ])('says nothing about the servers and their account ($code)', async (error) => {
    const [first, second] = [await ewsStub(busyAnswer), await ewsStub(busyAnswer)];
    let isGiving = true;
    const tokens = { token: async () => (isGiving ? 'token' : Promise.reject(error)), refused: () => undefined };
    const system = systemOf([first.url, second.url], { accounts: [{ kind: 'bearer', account: 'app', tokens }], clock: hands() });
    const ask = async (): Promise<string[]> => outcomes(await system.freeBusy({ mailboxes: people(1), window: WINDOW, details: false }, contextWith()));
    expect(await ask()).toEqual(['busy']);
    isGiving = false;
    for (let round = 0; round < 5; round++) expect(await ask()).toEqual([error.code]);
    isGiving = true;
    expect(await ask()).toEqual(['busy']);
    expect([first.seen.length, second.seen.length]).toEqual([2, 0]);
  });
});
