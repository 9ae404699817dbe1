import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import type { Requester } from '../../../src/core/request-context.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { ASKER, pending, turns } from '../../freebusy/asking.ts';
import { ask } from '../../platform/http-server/serving.ts';
import { FakePresence, shownAs, SINCE } from '../../presence/fake-presence.ts';
import { openApi } from './serving.ts';
import type { Api, ApiOptions } from './serving.ts';

const anna = 'anna@corp.example' as MailboxAddress;
const SWITCHER: Requester = { ...ASKER, name: 'im', from: 'corp', presence: 'opt-in' };
const ACTOR = { by: 'client im', via: 'api' };
let presence: FakePresence;
const apis: Api[] = [];
beforeEach(() => void (presence = new FakePresence()));
afterEach(async () => {
  for (const api of apis.splice(0)) await api.close();
});
async function api(options: Partial<ApiOptions> = {}): Promise<Api> {
  const opened = await openApi({
    source: { freeBusy: async () => [] },
    requester: SWITCHER,
    presence,
    homeOf: (mailbox) => (/@corp\.example$/.test(mailbox) ? 'corp' : /@zimbra\.example$/.test(mailbox) ? 'zimbra' : undefined),
    ...options,
  });
  apis.push(opened);
  return opened;
}
const OPT_IN = '/api/v1/presence/Anna@corp.example/opt-in';

describe('opting in by API', () => {
  it('is off at first, is stored before 200, and says how it stands', async () => {
    const all = await api();
    expect(await all.get(OPT_IN)).toMatchObject({ status: 200, json: { address: 'Anna@corp.example', optIn: false, language: null, by: null, at: null } });
    const [reached, stored] = [pending<void>(), pending<void>()];
    const real = presence.switch.bind(presence);
    presence.switch = async (...args) => (reached.resolve(), await stored.promise, real(...args));
    let isAnswered = false;
    const put = all.send('PUT', OPT_IN, '{"optIn":true,"language":"de"}').finally(() => (isAnswered = true));
    await reached.promise;
    await turns();
    expect(isAnswered).toBe(false);
    stored.resolve();
    expect((await put).json).toEqual({ address: 'Anna@corp.example', optIn: true, language: 'de', by: 'client im', at: new Date(SINCE).toISOString() });
    expect(presence.calls).toEqual([['switch', anna, true, ACTOR], ['language', anna, 'de', ACTOR]]);
    expect((await all.send('DELETE', OPT_IN)).json).toMatchObject({ optIn: false, language: 'de' });
  });

  it('changes only what is said', async () => {
    const all = await api();
    await all.send('PUT', OPT_IN, '{"language":null}');
    await all.send('PUT', OPT_IN, '{"optIn":false,"other":1}');
    expect(presence.calls).toEqual([['language', anna, undefined, ACTOR], ['switch', anna, false, ACTOR]]);
  });

  it.each(['GET', 'PUT', 'DELETE'])('%s is for the mailboxes of the client’s own system; everybody else looks like nobody, byte for byte', async (method) => {
    const all = await api();
    presence.show('kim@zimbra.example', shownAs('away'));
    presence.calls.length = 0;
    const seen = new Set<string>();
    for (const name of ['kim@zimbra.example', 'nobody@zimbra.example', 'x@gmail.com', 'nonsense', 'a%2Fb@corp.example', '%00']) {
      const { status, body, headers } = await ask(all.url, `/api/v1/presence/${name}/opt-in`, { method, ...(method === 'PUT' ? { body: '{"optIn":true}', headers: { 'content-type': 'application/json', 'content-length': '14' } } : {}) });
      const { 'x-request-id': _id, date: _date, ...others } = headers;
      seen.add(JSON.stringify([status, body, others]));
    }
    expect([...seen]).toHaveLength(1);
    expect([...seen][0]).toMatch(/^\[404,/);
    expect((JSON.parse([...seen][0]!) as readonly unknown[])[1]).toBe((await all.get('/api/v1/presence/nobody@gmail.com')).body);
    expect(presence.calls).toEqual([]);
  });

  it.each(['none', 'read'] as const)('is 403 with the right %s, whoever is meant', async (right) => {
    const all = await api({ requester: { ...SWITCHER, presence: right } });
    for (const name of ['anna@corp.example', 'x@gmail.com', 'nonsense']) {
      for (const path of ['opt-in', 'manual', 'phone', 'idle']) expect((await all.send('PUT', `/api/v1/presence/${name}/${path}`, '{}')).status).toBe(403);
    }
    expect(presence.calls).toEqual([]);
  });

  it('the right to switch includes that to see', async () => {
    presence.show(anna, shownAs('away'));
    expect((await (await api()).get('/api/v1/presence/anna@corp.example')).status).toBe(200);
  });

  it.each([
    ['no JSON', 'optIn'],
    ['no object', '[true]'],
    ['nothing said', '{}'],
    ['a text for a truth', '{"optIn":"true"}'],
    ['no language', '{"optIn":true,"language":"no tag"}'],
    ['a number for a language', '{"language":7}'],
    ['broken UTF-8', Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1')],
  ])('refuses %s and changes nothing', async (_what, body) => {
    expect(await (await api()).send('PUT', OPT_IN, body)).toMatchObject({ status: 400, json: { error: { code: 'INVALID_REQUEST' } } });
    expect(presence.calls).toEqual([]);
  });

  it('takes no body that a web page could send elsewhere, nor one that is too large', async () => {
    const all = await api();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonp']) expect((await all.send('PUT', OPT_IN, '{"optIn":true}', { 'content-type': type })).status).toBe(400);
    expect((await all.send('PUT', OPT_IN, '{"optIn":true}', { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200);
    expect((await all.send('PUT', OPT_IN, `{"optIn":true,"x":"${'x'.repeat(10_000)}"}`)).status).toBe(413);
  });

  it('is 409 in words without a gateway, 404 for whom nobody knows, 503 where it cannot be stored', async () => {
    const all = await api();
    presence.hasGateway = false;
    expect(await all.send('PUT', OPT_IN, '{"optIn":true,"language":"de"}')).toMatchObject({ status: 409, json: { error: { code: 'CONFIGURATION', message: expect.stringContaining('no gateway') as string } } });
    expect(presence.calls.map(([what]) => what)).toEqual(['switch']);
    presence.hasGateway = true;
    expect((await all.send('PUT', '/api/v1/presence/ghost@corp.example/opt-in', '{"optIn":true}')).json).toEqual((await all.get('/api/v1/presence/nobody@gmail.com')).json);
    presence.refusal = new BridgeError('STORE_UNAVAILABLE', 'it cannot be stored: ENOSPC', { temporary: true });
    expect(await all.send('DELETE', OPT_IN)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  });
});

describe('what others say of somebody', () => {
  it('is set with its end, and taken back', async () => {
    presence.show(anna, shownAs('available'));
    const all = await api();
    expect((await all.send('PUT', '/api/v1/presence/anna@corp.example/manual', '{"state":"do-not-disturb","until":"2026-03-02T12:00:00+01:00"}')).json).toEqual({ address: 'anna@corp.example', state: 'do-not-disturb', until: '2026-03-02T11:00:00.000Z' });
    await all.send('PUT', '/api/v1/presence/anna@corp.example/phone', '{"state":"on-the-phone"}');
    expect((await all.send('DELETE', '/api/v1/presence/anna@corp.example/idle')).json).toEqual({ address: 'anna@corp.example', state: null, until: null });
    expect(presence.calls).toEqual([
      ['own', anna, 'manual', 'do-not-disturb', Date.parse('2026-03-02T11:00:00Z'), ACTOR],
      ['own', anna, 'phone', 'on-the-phone', null, ACTOR],
      ['own', anna, 'idle', undefined, null, ACTOR],
    ]);
  });

  it.each([
    ['manual', '{"state":"in-a-meeting"}'],
    ['phone', '{"state":"away"}'],
    ['idle', '{"state":"offline"}'],
    ['manual', '{"state":"away","until":"12:00"}'],
    ['manual', '{"state":"away","until":"2026-03-02T12:00:00"}'],
    ['manual', '{"state":"away","until":7}'],
    ['manual', '{}'],
  ])('%s refuses %s', async (source, body) => {
    expect((await (await api()).send('PUT', `/api/v1/presence/anna@corp.example/${source}`, body)).status).toBe(400);
    expect(presence.calls).toEqual([]);
  });

  it('is 404 for whoever has not opted in, like for nobody', async () => {
    const all = await api();
    expect((await all.send('PUT', '/api/v1/presence/anna@corp.example/manual', '{"state":"away"}')).json).toEqual((await all.get('/api/v1/presence/nobody@gmail.com')).json);
  });
});

describe('forms of GET /api/v1/presence/{address}', () => {
  beforeEach(() => presence.show(anna, shownAs('in-a-meeting')));

  it.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['application/pidf+xml', 'application/pidf+xml'],
    ['Application/PIDF+xml', 'application/pidf+xml'],
    ['application/pidf+xml;q=0.5, application/json;q=0.4', 'application/pidf+xml'],
    ['application/pidf+xml;q=0.4, application/json;q=0.5', 'application/json'],
    ['application/json;q=0, */*', 'application/pidf+xml'],
    ['text/html, application/pidf+xml;q=0.1', 'application/pidf+xml'],
  ])('Accept: %s gives %s', async (accept, type) => {
    const { status, headers, body } = await ask((await api()).url, '/api/v1/presence/anna@corp.example', { headers: accept === undefined ? {} : { accept } });
    expect([status, headers['content-type']]).toEqual([200, `${type}; charset=utf-8`]);
    expect(headers.vary).toBe('Accept');
    expect(body.includes('pres:anna@corp.example')).toBe(type.includes('pidf'));
  });

  it.each(['text/html', 'application/pidf+xml;q=0', 'image/*'])('Accept: %s is 406, whoever is asked about', async (accept) => {
    const all = await api();
    const [one, other] = [await all.get('/api/v1/presence/anna@corp.example', { accept }), await all.get('/api/v1/presence/nobody@corp.example', { accept })];
    expect(one.status).toBe(406);
    expect(one.body).toBe(other.body);
  });

  it('has no more than four members, unless details are wanted', async () => {
    const all = await api();
    expect((await all.get('/api/v1/presence/anna@corp.example')).json).toEqual({ address: 'anna@corp.example', state: 'in-a-meeting', until: '2026-03-02T10:00:00.000Z' });
    expect((await all.get('/api/v1/presence/anna@corp.example?details=true')).json).toEqual({
      address: 'anna@corp.example', state: 'in-a-meeting', until: '2026-03-02T10:00:00.000Z', since: '2026-03-02T09:00:00.000Z', reason: 'calendar', text: 'In a meeting', language: 'en',
    });
  });

  it('HEAD has no body', async () => {
    expect(await ask((await api()).url, '/api/v1/presence/anna@corp.example', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });
});
