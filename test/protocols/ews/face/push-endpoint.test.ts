import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../../src/core/errors.ts';
import type { PushedMessages } from '../../../../src/protocols/schedule-plus/pushed-messages.ts';
import { ewsEndpoint } from '../../../../src/protocols/ews/endpoint.ts';
import { ASKER, faceUnderTest } from '../../face-under-test.ts';
import type { FaceUnderTest } from '../../face-under-test.ts';
import { pushedTo } from './asked.ts';

const MESSAGE = readFileSync(new URL('../../../../fixtures/ews/pushed-items/zimbra-create-item/message', import.meta.url));
const KIM = { '/o=works & sons/ou=first administrative group/cn=recipients/cn=kim': 'kim@zimbra.example' };
const ACCOUNT = { requester: { ...ASKER, name: 'zimbra', from: 'zimbra' }, credentials: { username: 'zimbra', password: 'changeme' } };

let face: FaceUnderTest | undefined;
afterEach(async () => {
  await face?.close();
  face = undefined;
});

async function push(pushed: PushedMessages, authorization?: string): Promise<{ readonly status: number; readonly body: string }> {
  face = await faceUnderTest((services) => ewsEndpoint({ ...services, pushed }), { accounts: [ACCOUNT] });
  const headers = { 'content-type': 'text/xml; charset=utf-8', soapaction: '"http://schemas.microsoft.com/exchange/services/2006/messages/CreateItem"', ...(authorization === undefined ? {} : { authorization }) };
  const answer = await fetch(`${face.url}/EWS/Exchange.asmx`, { method: 'POST', headers, body: MESSAGE });
  return { status: answer.status, body: await answer.text() };
}

const SIGNED_IN = `Basic ${Buffer.from('zimbra:changeme').toString('base64')}`;

describe('a Zimbra\'s push over HTTP', () => {
  it('is taken when it is stored', async () => {
    const { pushed, heard } = pushedTo(KIM);
    const { status, body } = await push(pushed, SIGNED_IN);
    expect(status).toBe(200);
    expect(body).toContain('<m:ResponseCode>NoError</m:ResponseCode>');
    expect(heard).toEqual(['zimbra: kim@zimbra.example']);
  });

  it('is a SOAP Fault with status 500 when it cannot be stored: that is what makes Zimbra try again', async () => {
    const { pushed } = pushedTo(KIM, async () => {
      throw new BridgeError('STORE_UNAVAILABLE', 'changes cannot be stored now', { temporary: true });
    });
    const { status, body } = await push(pushed, SIGNED_IN);
    expect(status).toBe(500);
    expect(body).toMatch(/<\w+:Fault>/);
    expect(body).not.toContain('kim');
  });

  it.each([
    ['without credentials', undefined],
    ['with a wrong password', `Basic ${Buffer.from('zimbra:wrong').toString('base64')}`],
  ])('is 401 and heard by nobody %s', async (_how, authorization) => {
    const { pushed, asked } = pushedTo(KIM);
    expect((await push(pushed, authorization)).status).toBe(401);
    expect(asked).toEqual([]);
  });
});
