import { afterEach, describe, expect, it } from 'vitest';
import { attribute, child, childText, descend } from '../../src/platform/xml/element.ts';
import type { XmlElement } from '../../src/platform/xml/element.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createZimbra } from '../../src/sandbox/zimbra.ts';
import type { Zimbra } from '../../src/sandbox/zimbra.ts';

// The example of zimbra.md §2.2: 2026-11-18 08:00 to 18:00 UTC, kim busy 09:00 to 10:30.
const START = 1794988800000;
const END = 1795024800000;

let server: Zimbra;
let now = START;
afterEach(() => server.close());

async function start(publicFreeBusy = false): Promise<void> {
  now = START;
  const calendars = createCalendarStore([{ address: 'kim@zimbra.example', displayName: 'Kim' }, { address: 'lee@zimbra.example', displayName: 'Lee' }]);
  calendars.add('kim@zimbra.example', { start: 1794992400000, end: 1794997800000, type: 'busy' });
  calendars.add('lee@zimbra.example', { start: START - 3_600_000, end: START + 1_800_000, type: 'oof' });
  calendars.add('lee@zimbra.example', { start: START, end: START + 3_600_000, type: 'busy' });
  calendars.add('lee@zimbra.example', { start: START + 3_600_000, end: START + 5_400_000, type: 'tentative' });
  server = createZimbra({ username: 'svc@zimbra.example', password: 's3', calendars, clock: { now: () => now }, publicFreeBusy, tokenLifetimeMs: 60_000 });
  await server.listen();
}

async function soap(operation: string, token?: string, ns = 'http://www.w3.org/2003/05/soap-envelope'): Promise<{ readonly status: number; readonly text: string; readonly operation: XmlElement; readonly ns: string }> {
  const header = token === undefined ? '' : `<soap:Header><context xmlns="urn:zimbra"><authToken>${token}</authToken></context></soap:Header>`;
  const answer = await fetch(`${server.url}/service/soap/`, { method: 'POST', body: `<soap:Envelope xmlns:soap="${ns}">${header}<soap:Body>${operation}</soap:Body></soap:Envelope>` });
  const text = await answer.text();
  const root = await readXml(text);
  return { status: answer.status, text, operation: child(root, 'Body')!.children[0]!, ns: root.ns };
}

const AUTH = '<AuthRequest xmlns="urn:zimbraAccount" csrfTokenSecured="0"><account by="name">svc@zimbra.example</account><password>s3</password></AuthRequest>';
const signIn = async (): Promise<string> => childText((await soap(AUTH)).operation, 'authToken')!;
const freeBusy = (attributes: string, s: number | string = START, e: number | string = END): string => `<GetFreeBusyRequest xmlns="urn:zimbraMail" s="${s}" e="${e}" ${attributes}/>`;
const fault = (operation: XmlElement): string | undefined => childText(descend(operation, 'Detail', 'Error'), 'Code');

describe('the stand-in Zimbra', () => {
  it('tells the default working hours in the order asked, by the clock of Berlin, and n of the unknown (zimbra.md §2.5)', async () => {
    await start();
    const hours = (s: string, e: string): string => `<GetWorkingHoursRequest xmlns="urn:zimbraMail" s="${Date.parse(s)}" e="${Date.parse(e)}" name="nobody@else.example,kim@zimbra.example"/>`;
    const slot = (letter: string, s: string, e: string): string => `<${letter} s="${Date.parse(s)}" e="${Date.parse(e)}"/>`;
    const token = await signIn();
    // Friday in summer time, Monday in winter time.
    const { text } = await soap(hours('2026-10-23T12:00Z', '2026-10-26T20:00Z'), token);
    expect(text).toContain(
      `<GetWorkingHoursResponse xmlns="urn:zimbraMail"><usr id="nobody@else.example">${slot('n', '2026-10-23T12:00Z', '2026-10-26T20:00Z')}</usr><usr id="kim@zimbra.example">` +
        `${slot('f', '2026-10-23T12:00Z', '2026-10-23T15:00Z')}${slot('u', '2026-10-23T15:00Z', '2026-10-26T07:00Z')}${slot('f', '2026-10-26T07:00Z', '2026-10-26T16:00Z')}${slot('u', '2026-10-26T16:00Z', '2026-10-26T20:00Z')}</usr></GetWorkingHoursResponse>`,
    );
    expect((await soap(hours('2026-10-23T12:00Z', '2026-10-26T20:00Z'))).text).not.toContain('<f ');
    expect(fault((await soap(hours('2026-10-26T20:00Z', '2026-10-23T12:00Z'), token)).operation)).toBe('service.INVALID_REQUEST');
  });

  it('answers the example of zimbra.md §2.2 with tiling slots, whoever is unknown with n', async () => {
    await start();
    const { status, text } = await soap(freeBusy('uid="nobody@else.example,kim@zimbra.example"'), await signIn());
    expect(status).toBe(200);
    expect(text).toContain(
      '<GetFreeBusyResponse xmlns="urn:zimbraMail"><usr id="kim@zimbra.example"><f s="1794988800000" e="1794992400000"/><b s="1794992400000" e="1794997800000"/><f s="1794997800000" e="1795024800000"/></usr><usr id="nobody@else.example"><n s="1794988800000" e="1795024800000"/></usr></GetFreeBusyResponse>',
    );
  });

  it('lets the busier win where entries overlap, and clips to the range', async () => {
    await start();
    const { operation } = await soap(freeBusy('name="lee@zimbra.example"', START, START + 7_200_000), await signIn());
    const slots = child(operation, 'usr')!.children.map((one) => `${one.name} ${(Number(attribute(one, 's')) - START) / 60_000}-${(Number(attribute(one, 'e')) - START) / 60_000}`);
    expect(slots).toEqual(['u 0-30', 'b 30-60', 't 60-90', 'f 90-120']);
  });

  it('gives back the string it was asked by, untrimmed, once, from whatever attribute', async () => {
    await start();
    const { operation } = await soap('<GetFreeBusyRequest xmlns="urn:zimbraMail" s="1" e="2" uid=" kim@zimbra.example,KIM@zimbra.example" name="KIM@zimbra.example"><usr name="a&amp;b@x.example"/></GetFreeBusyRequest>', await signIn());
    const users = operation.children.map((one) => [attribute(one, 'id'), one.children[0]?.name]);
    expect(users).toEqual([['KIM@zimbra.example', 'f'], [' kim@zimbra.example', 'n'], ['a&b@x.example', 'n']]);
  });

  it('says nothing to callers without a token, and a malformed token is no token', async () => {
    await start();
    for (const token of [undefined, 'rubbish']) {
      const { operation } = await soap(freeBusy('uid="kim@zimbra.example"'), token);
      expect(child(operation, 'usr')?.children.map((one) => one.name)).toEqual(['n']);
    }
    await server.close();
    await start(true);
    expect((await soap(freeBusy('uid="kim@zimbra.example"'))).text).toContain('<b ');
  });

  it('raises service.AUTH_EXPIRED for a token that is too old or revoked', async () => {
    await start();
    const token = await signIn();
    now += 60_000;
    const old = await soap(freeBusy('uid="kim@zimbra.example"'), token);
    expect([old.status, fault(old.operation)]).toEqual([500, 'service.AUTH_EXPIRED']);
    const fresh = await signIn();
    server.revokeTokens();
    expect(fault((await soap(freeBusy('uid="kim@zimbra.example"'), fresh)).operation)).toBe('service.AUTH_EXPIRED');
  });

  it('answers Zimbra’s own faults with HTTP 500, in the SOAP version of the question', async () => {
    await start();
    const day = 86_400_000;
    const cases: readonly (readonly [string, string])[] = [
      [AUTH.replace('s3', 'wrong'), 'account.AUTH_FAILED'],
      [AUTH.replace('svc@', 'other@'), 'account.AUTH_FAILED'],
      ['<AuthRequest xmlns="urn:zimbraAccount"/>', 'service.INVALID_REQUEST'],
      [freeBusy('uid="a"', END, START), 'service.INVALID_REQUEST'],
      [freeBusy('uid="a"', START, START), 'service.INVALID_REQUEST'],
      [freeBusy('uid="a"', START, START + 201 * day), 'service.INVALID_REQUEST'],
      [freeBusy('uid="a"', ''), 'service.INVALID_REQUEST'],
      [freeBusy('uid="a"', 'soon'), 'service.INVALID_REQUEST'],
      ['<GetInfoRequest xmlns="urn:zimbraAccount"/>', 'service.AUTH_REQUIRED'],
      ['<NonsenseRequest xmlns="urn:zimbraMail"/>', 'service.UNKNOWN_DOCUMENT'],
    ];
    for (const [request, code] of cases) {
      const { status, operation } = await soap(request);
      expect([request, status, fault(operation)]).toEqual([request, 500, code]);
    }
    expect((await soap(freeBusy('uid="a"', START, START + 201 * day - 1))).status).toBe(200);
    const soap11 = await soap('<NonsenseRequest xmlns="urn:zimbraMail"/>', undefined, 'http://schemas.xmlsoap.org/soap/envelope/');
    expect([soap11.ns, childText(soap11.operation, 'faultcode')]).toEqual(['http://schemas.xmlsoap.org/soap/envelope/', 'soap:Client']);
    const broken = await fetch(`${server.url}/service/soap/`, { method: 'POST', body: '<a><b></a>' });
    expect([broken.status, await broken.text()]).toEqual([500, expect.stringContaining('service.PARSE_ERROR')]);
  });
});
