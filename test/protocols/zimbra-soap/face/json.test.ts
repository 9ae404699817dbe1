import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../../../src/core/clock.ts';
import { ASKER, ASKER_BASIC } from '../../face-under-test.ts';
import type { FaceUnderTest } from '../../face-under-test.ts';
import { END, START, jsonMessage, openFace, send, sendJson, xmlMessage } from './asking.ts';

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace({
    calendars: {
      // zimbra.md §2.2: busy from 09:00 to 10:30.
      'kim@zimbra.example': { busy: [{ start: START + HOUR_MS, end: START + 2.5 * HOUR_MS, busyType: 'busy' }] },
      'lee@zimbra.example': { events: [{ start: START, end: START + HOUR_MS, busyType: 'oof', id: 'A1', subject: 'Plan "B" \u2028', isMeeting: true }] },
    },
  });
});
afterAll(() => face.close());

const question = (more: Record<string, unknown> = {}): Record<string, unknown> => ({ GetFreeBusyRequest: { _jsns: 'urn:zimbraMail', s: START, e: END, ...more } });

describe('a JSON question', () => {
  it('is answered to the letter as zimbra.md §2.2 and §1.2 have it', async () => {
    const answer = await sendJson(face, question({ uid: 'kim@zimbra.example' }));
    expect([answer.status, answer.type]).toEqual([200, 'text/javascript; charset=utf-8']);
    expect(answer.headers.get('cache-control')).toBe('no-store, no-cache');
    expect(answer.text).toBe(
      '{"Header":{"context":{"_jsns":"urn:zimbra"}},"Body":{"GetFreeBusyResponse":{"usr":[{"id":"kim@zimbra.example",' +
        '"f":[{"s":1794988800000,"e":1794992400000},{"s":1794997800000,"e":1795024800000}],"b":[{"s":1794992400000,"e":1794997800000}]}],"_jsns":"urn:zimbraMail"}},"_jsns":"urn:zimbraSoap"}',
    );
  });

  it('may give members as text, as numbers, as children or as lists of children, and addresses in every way at once', async () => {
    for (const asked of [
      { s: String(START), e: String(END), name: 'kim@zimbra.example' },
      { s: { _content: START }, e: [{ _content: String(END) }], uid: { _content: 'kim@zimbra.example' } },
      { usr: [{ name: 'kim@zimbra.example', l: 10 }] },
      { usr: { id: 'kim@zimbra.example' }, excludeUid: '0-1-2' },
    ]) {
      const { Body } = await sendJson(face, question(asked));
      expect([asked, Body.GetFreeBusyResponse.usr.map((usr) => [usr.id, usr.b.length])]).toEqual([asked, [['kim@zimbra.example', 1]]]);
    }
  });

  it('has flags as booleans and texts escaped on the slot that is exactly one event', async () => {
    const { Body } = await sendJson(face, question({ name: 'lee@zimbra.example' }));
    expect(Body.GetFreeBusyResponse.usr[0]!.u).toEqual([
      { s: START, e: START + HOUR_MS, eventId: 'A1', subject: 'Plan "B" \u2028', isMeeting: true, isRecurring: false, isException: false, isReminderSet: false, isPrivate: false },
    ]);
  });

  it('gives strings back as they were written, whatever they hold', async () => {
    const ids = ['__proto__', 'constructor', ' kim@zimbra.example', 'a"b\\c', 'grüße\u0001', '\ud800', '', 'KIM@zimbra.example'];
    const { Body } = await sendJson(face, question({ usr: ids.map((name) => ({ name })) }));
    expect(Body.GetFreeBusyResponse.usr.map((usr) => usr.id)).toEqual(ids);
    expect(Object.keys(Body.GetFreeBusyResponse.usr[7]!)).toEqual(['id', 'f', 'b']);
  });

  it('crosses over to XML, and XML to JSON, where the context asks for it', async () => {
    const xml = await send(face, jsonMessage(question({ uid: 'kim@zimbra.example' }), { format: { type: 'xml' } }));
    expect([xml.status, xml.type]).toEqual([200, 'text/xml; charset=utf-8']);
    expect(xml.text).toContain('xmlns:soap="http://www.w3.org/2003/05/soap-envelope"');
    expect(xml.text).toContain('<b s="1794992400000" e="1794997800000"/>');
    const js = await send(face, xmlMessage(`<GetFreeBusyRequest xmlns="urn:zimbraMail" s="${START}" e="${END}" uid="kim@zimbra.example"/>`, '<format type="js"/>'));
    expect(js.type).toBe('text/javascript; charset=utf-8');
    expect(js.text).toBe((await send(face, jsonMessage(question({ uid: 'kim@zimbra.example' })))).text);
    const fault = await send(face, xmlMessage('<NoSuchRequest xmlns="urn:zimbraMail"/>', '<format type="js"/>'));
    expect(JSON.parse(fault.text)).toMatchObject({ Body: { Fault: { Detail: { Error: { Code: 'service.UNKNOWN_DOCUMENT' } } } } });
  });

  it('may come with a byte order mark, blanks and compressed', async () => {
    const text = jsonMessage(question({ uid: 'kim@zimbra.example' }));
    expect((await send(face, `\ufeff \r\n\t${text} \n`)).status).toBe(200);
    expect((await send(face, gzipSync(text), { authorization: ASKER_BASIC, 'content-encoding': 'gzip' })).status).toBe(200);
  });

  it('echoes requestId, and takes session and account of the context as they come', async () => {
    const { Body } = await sendJson(face, question({ requestId: '7', uid: 'kim@zimbra.example' }), { session: { id: '1', _content: '1' }, account: { by: 'name', _content: 'ceo@zimbra.example' } });
    expect(Body.GetFreeBusyResponse.requestId).toBe('7');
    expect(face.asked.at(-1)?.mailboxes).toEqual(['kim@zimbra.example']);
  });
});

describe('a JSON fault', () => {
  it('has the shape of zimbra.md §1.5 and HTTP 500', async () => {
    const answer = await sendJson(face, { AuthRequest: { _jsns: 'urn:zimbraAccount', account: { by: 'name', _content: 'asker' }, password: { _content: 'wrong' } } }, {}, {});
    expect([answer.status, answer.type]).toEqual([500, 'text/javascript; charset=utf-8']);
    const { Trace, ...error } = answer.Body.Fault.Detail.Error;
    expect([typeof Trace, error]).toEqual(['string', { Code: 'account.AUTH_FAILED', _jsns: 'urn:zimbra' }]);
    expect(answer.Body.Fault.Code).toEqual({ Value: 'soap:Sender' });
    expect(Object.keys(answer.Body.Fault.Reason)).toEqual(['Text']);
    expect(answer.text).toMatch(/^\{"Body":\{"Fault":.*\},"_jsns":"urn:zimbraSoap"\}$/);
  });

  it.each([
    ['single quotes', "{'Body':{}}"],
    ['bare words', '{Body:{}}'],
    ['= for :', '{"Body"={}}'],
    ['; for ,', '{"Header":{};"Body":{}}'],
    ['a comma at the end', '{"Body":{},}'],
    ['two documents', '{"Body":{}}{}'],
    ['a list', '[{"Body":{}}]'],
    ['a text', '"Body"'],
    ['a truncated document', '{"Body":{"GetFreeBusyRequest":{"s":1'],
    ['NaN', '{"Body":{"GetFreeBusyRequest":{"s":NaN}}}'],
    ['Infinity', '{"Body":{"GetFreeBusyRequest":{"s":-Infinity}}}'],
    ['a leading zero', '{"Body":{"GetFreeBusyRequest":{"s":01}}}'],
    ['a hexadecimal number', '{"Body":{"GetFreeBusyRequest":{"s":0x10}}}'],
    ['a broken escape', '{"Body":{"GetFreeBusyRequest":{"uid":"\\u12g4"}}}'],
    ['an escape that JSON does not have', '{"Body":{"GetFreeBusyRequest":{"uid":"\\x41"}}}'],
    ['a raw line end in a string', '{"Body":{"GetFreeBusyRequest":{"uid":"a\nb"}}}'],
    ['a comment', '{"Body":{}/* */}'],
    ['the same key twice', '{"Body":{"GetFreeBusyRequest":{"_jsns":"urn:zimbraMail","s":1,"s":2,"e":3}}}'],
    ['the same key twice, once escaped', '{"Body":{"GetFreeBusyRequest":{"s":1,"\\u0073":2}}}'],
    ['two bodies', '{"Body":{},"Body":{}}'],
    ['a list of texts', '{"Body":{"GetFreeBusyRequest":{"usr":["a@b.example"]}}}'],
    ['a list in a list', '{"Body":{"GetFreeBusyRequest":{"usr":[[]]}}}'],
    ['no body', '{"Header":{}}'],
    ['half a million brackets', '{"a":'.repeat(500_000)],
    ['a million lists', `{"a":${'['.repeat(1_000_000)}`],
    ['200,000 members', `{"Body":{${Array.from({ length: 200_000 }, (_, index) => `"k${index}":{}`).join(',')}}}`],
    ['100 attributes', `{"Body":{"GetFreeBusyRequest":{${Array.from({ length: 100 }, (_, index) => `"k${index}":1`).join(',')}}}}`],
    ['UTF-16', Buffer.from('\ufeff{"Body":{}}', 'utf16le')],
    ['UTF-16 without a mark', Buffer.from('{"Body":{}}', 'utf16le')],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['blanks only', ' \n '],
  ])('service.PARSE_ERROR answers %s', async (_what, body) => {
    const answer = await send(face, body);
    expect([answer.status, answer.type]).toEqual([500, 'text/javascript; charset=utf-8']);
    expect(JSON.parse(answer.text)).toMatchObject({ Body: { Fault: { Detail: { Error: { Code: 'service.PARSE_ERROR' } } } } });
  });

  it.each([
    ['1e999', '1e999'],
    ['a number of a thousand digits', '9'.repeat(1_000)],
    ['a fraction', '1794988800000.5'],
    ['true', 'true'],
    ['nothing', 'null'],
  ])('service.INVALID_REQUEST answers a start that is %s', async (_what, start) => {
    const answer = await send(face, `{"Body":{"GetFreeBusyRequest":{"_jsns":"urn:zimbraMail","s":${start},"e":${END},"uid":"a@b.example"}}}`);
    expect(JSON.parse(answer.text)).toMatchObject({ Body: { Fault: { Detail: { Error: { Code: 'service.INVALID_REQUEST' } } } } });
  });

  it('service.INVALID_REQUEST answers a list of more names than anybody has, one name though it be', async () => {
    const ask = (count: number): ReturnType<typeof sendJson> => sendJson(face, question({ uid: Array.from({ length: count }, () => 'kim@zimbra.example').join(',') }));
    expect((await ask(10_000)).Body.GetFreeBusyResponse.usr).toHaveLength(1);
    expect((await ask(10_001)).Body.Fault.Detail.Error.Code).toBe('service.INVALID_REQUEST');
  });

  it('tells nobody who has not signed in more than that', async () => {
    for (const body of [question({ uid: 'a' }), {}, { BatchRequest: { _jsns: 'urn:zimbra' } }, { NoOpRequest: { _jsns: 'urn:zimbraMail' } }]) {
      const answer = await sendJson(face, body, {}, {});
      expect([answer.status, answer.Body.Fault.Detail.Error.Code]).toEqual([500, 'service.AUTH_REQUIRED']);
    }
  });

  it('comes for a member __proto__, and nothing else happens', async () => {
    const answer = await send(face, '{"__proto__":{"Body":{}},"Body":{"__proto__":{"polluted":1},"constructor":{"prototype":{}}}}');
    expect(JSON.parse(answer.text)).toMatchObject({ Body: { Fault: { Detail: { Error: { Code: 'service.UNKNOWN_DOCUMENT' } } } } });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('broken XML', () => {
  it('is refused in SOAP 1.1 or in JSON where its head asked for that, as Zimbra looks for it', async () => {
    const old = await send(face, xmlMessage('<a>', '', 'http://schemas.xmlsoap.org/soap/envelope/'));
    expect([old.status, old.text.includes('<faultcode>soap:Client</faultcode>'), old.text.includes('service.PARSE_ERROR')]).toEqual([500, true, true]);
    const js = await send(face, xmlMessage('<a>', '<format type="js"/>'));
    expect(JSON.parse(js.text)).toMatchObject({ Body: { Fault: { Detail: { Error: { Code: 'service.PARSE_ERROR' } } } } });
  });
});

describe('the context', () => {
  it('that has passed more than five servers is refused', async () => {
    const body = `<NoOpRequest xmlns="urn:zimbraMail"/>`;
    const message = (hops: string): string => xmlMessage(body).replace('<context ', `<context hops="${hops}" `);
    expect((await send(face, message('5'))).status).toBe(200);
    expect((await send(face, message('6'))).text).toContain('<Code>service.TOO_MANY_HOPS</Code>');
    expect((await send(face, message('many'))).text).toContain('<Code>service.INVALID_REQUEST</Code>');
    expect((await sendJson(face, { NoOpRequest: { _jsns: 'urn:zimbraMail' } }, { hops: 6 })).Body.Fault.Detail.Error.Code).toBe('service.TOO_MANY_HOPS');
  });
});

describe('AuthRequest in JSON', () => {
  const auth = (more: Record<string, unknown>): Record<string, unknown> => ({ AuthRequest: { _jsns: 'urn:zimbraAccount', ...more } });

  it.each([
    ['elements', { account: [{ by: 'name', _content: 'asker' }], password: [{ _content: 'pw-of-asker' }] }],
    ['objects', { account: { by: 'name', _content: 'asker' }, password: { _content: 'pw-of-asker' } }],
    ['plain members', { account: 'asker', password: 'pw-of-asker' }],
  ])('is answered as zimbra.md §1.3 has it, whether it holds %s', async (_what, content) => {
    const answer = await sendJson(face, auth({ csrfTokenSecured: 1, virtualHost: { _content: 'mail.zimbra.example' }, ...content }), {}, {});
    const { authToken, ...rest } = answer.Body.AuthResponse;
    expect(rest).toEqual({ lifetime: 3_600_000, _jsns: 'urn:zimbraAccount' });
    expect(Object.keys(answer.Body.AuthResponse)).toEqual(['authToken', 'lifetime', '_jsns']);
    const token = authToken[0]._content;
    expect(answer.headers.get('set-cookie')).toBe(`ZM_AUTH_TOKEN=${token}; Path=/; HttpOnly`);
    for (const context of [{ authToken: [{ _content: token }] }, { authToken: { _content: token } }, { authToken: token }]) {
      expect((await sendJson(face, question({ uid: 'kim@zimbra.example' }), { ...context, csrfToken: '0_x' }, {})).status).toBe(200);
    }
    expect((await sendJson(face, question(), {}, { cookie: `ZM_AUTH_TOKEN=${token}` })).status).toBe(200);
  });

  it('lets the cookie outlive the browser where it is asked to', async () => {
    const answer = await sendJson(face, auth({ persistAuthTokenCookie: true, account: 'asker', password: 'pw-of-asker' }), {}, {});
    expect(answer.headers.get('set-cookie')).toMatch(/; Path=\/; HttpOnly; Max-Age=3600$/);
  });

  it('gives the same token again, and looks whose it is where it is told to', async () => {
    const first = await sendJson(face, auth({ account: 'asker', password: 'pw-of-asker' }), {}, {});
    const token = first.Body.AuthResponse.authToken[0]._content;
    const again = async (more: Record<string, unknown>): Promise<string> => {
      const { status, Body } = await sendJson(face, auth({ authToken: { _content: token, ...more }, ...(more['account'] === undefined ? {} : { account: { by: 'name', _content: more['account'] } }) }), {}, {});
      if (status === 200) expect(Body.AuthResponse.authToken[0]._content, 'one that was stolen must not prolong itself').toBe(token);
      return status === 200 ? 'signed in' : Body.Fault.Detail.Error.Code;
    };
    expect(await again({})).toBe('signed in');
    expect(await again({ verifyAccount: true, account: 'ASKER' })).toBe('signed in');
    expect(await again({ verifyAccount: 1, account: 'other' })).toBe('service.AUTH_REQUIRED');
    expect(await again({ verifyAccount: '1' })).toBe('service.INVALID_REQUEST');
    const bad = await sendJson(face, auth({ authToken: 'garbage' }), {}, {});
    expect([bad.Body.Fault.Detail.Error.Code, bad.headers.get('set-cookie')]).toEqual(['service.AUTH_REQUIRED', null]);
  });

  it('never looks for a password elsewhere: a client that has none cannot sign in', async () => {
    const open = await openFace({ accounts: [{ requester: { ...ASKER, anonymous: true }, credentials: undefined }] });
    const answer = await sendJson(open, auth({ account: 'asker', password: '' }), {}, {});
    expect(answer.Body.Fault.Detail.Error.Code).toBe('account.AUTH_FAILED');
    await open.close();
  });
});

describe('what needs no calendar', () => {
  it('NoOp is answered at once, and never held', async () => {
    const plain = await send(face, jsonMessage({ NoOpRequest: { _jsns: 'urn:zimbraMail' } }));
    expect(plain.text).toContain('"Body":{"NoOpResponse":{"_jsns":"urn:zimbraMail"}}');
    const held = await sendJson(face, { NoOpRequest: { _jsns: 'urn:zimbraMail', wait: 1, limitToOneBlocked: 1, timeout: 300_000 } });
    expect(held.Body.NoOpResponse).toEqual({ waitDisallowed: true, _jsns: 'urn:zimbraMail' });
    expect((await send(face, xmlMessage('<NoOpRequest xmlns="urn:zimbraMail"/>'))).text).toContain('<NoOpResponse xmlns="urn:zimbraMail"/>');
  });

  it('SearchCalendarResources finds nobody', async () => {
    const { Body } = await sendJson(face, { SearchCalendarResourcesRequest: { _jsns: 'urn:zimbraAccount', offset: 20, limit: 10, sortBy: 'nameDesc', searchFilter: { conds: { cond: [{ attr: 'fullName', op: 'has', value: 'x' }] } } } });
    expect(Body.SearchCalendarResourcesResponse).toEqual({ more: false, sortBy: 'nameDesc', offset: 20, _jsns: 'urn:zimbraAccount' });
    expect((await send(face, xmlMessage('<SearchCalendarResourcesRequest xmlns="urn:zimbraAccount"/>'))).text).toContain('<SearchCalendarResourcesResponse xmlns="urn:zimbraAccount" more="0" sortBy="nameAsc" offset="0"/>');
  });
});
