import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  KINDS,
  digitsOf,
  ewsAvailability,
  ewsError,
  ewsEvent,
  ewsItem,
  ewsResponseMessages,
  ewsSuccess,
  ewsView,
  ifbAnswer,
  ifbText,
  isAuthRequest,
  messageOf,
  owaItem,
  owaResponse,
  propfindResponse,
  readEwsQuery,
  readOwaQuery,
  readZimbraQuery,
  xmlAnswer,
  zimbraFault,
  zimbraResponse,
  zimbraSlots,
  zimbraUser,
} from './back-ends.ts';
import type { Canned, EwsQuery, Message, OwaQuery, ZimbraQuery } from './back-ends.ts';
import { JUDGE, MEETINGS, NOTHING_KNOWN, OTHER_MEETINGS, OTHER_TRUTH, TRUTH, allSay, openHouse, threeFaces } from './every-kind.ts';
import type { House } from './every-kind.ts';
import { WINDOW, askJson } from './raw-http.ts';

/** configuration.md, "Reading a back end's answer", sentence by sentence, at the JSON face, in the OWA digits and in the SOAP slots. */

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());
afterEach(() => {
  for (const kind of KINDS) house.backEnds[kind].reset();
});

describe('GetUserAvailability', () => {
  const anna = 'anna@ews.example';
  const ben = 'ben@ews.example';
  const answers = (how: (query: EwsQuery) => Canned): void => {
    house.backEnds['exchange-ews'].override = (seen) => how(readEwsQuery(seen.body));
  };
  const annas = (query: EwsQuery): string => ewsSuccess(ewsView(MEETINGS, query));
  const bens = (query: EwsQuery): string => ewsSuccess(ewsView(OTHER_MEETINGS, query));
  const view = (type: string, inner: string): string => `<m:FreeBusyView>${type === '' ? '' : `<t:FreeBusyViewType>${type}</t:FreeBusyViewType>`}${inner}</m:FreeBusyView>`;
  const digits = (text: string): string => `<t:MergedFreeBusy>${text}</t:MergedFreeBusy>`;
  const events = (...inner: readonly string[]): string => `<t:CalendarEventArray>${inner.join('')}</t:CalendarEventArray>`;
  const event = (start: string, end: string, type = 'Busy'): string => `<t:CalendarEvent><t:StartTime>${start}</t:StartTime><t:EndTime>${end}</t:EndTime><t:BusyType>${type}</t:BusyType></t:CalendarEvent>`;

  it.each([
    ['fewer responses than mailboxes', (query: EwsQuery) => annas(query)],
    ['more responses than mailboxes', (query: EwsQuery) => annas(query) + bens(query) + bens(query)],
    ['none at all', () => ''],
    ['something that is no response between them', (query: EwsQuery) => `${annas(query)}<m:Other/>${bens(query)}`],
  ])('is no data for all where it holds %s', async (_what, responses) => {
    answers((query) => ewsAvailability(responses(query)));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, NOTHING_KNOWN));
  });

  const full = (query: EwsQuery): string => ewsView(MEETINGS, query);
  const bare = (code: string, inner: string): string => `<m:FreeBusyResponse>${code}${inner}</m:FreeBusyResponse>`;
  it.each([
    ['a Success without a view', () => ewsSuccess('')],
    ['a Success with view None', () => ewsSuccess(view('None', ''))],
    ['a Success with view None that holds events all the same', (query: EwsQuery) => ewsSuccess(full(query).replace('DetailedMerged', 'None'))],
    ['an error that carries a view', (query: EwsQuery) => ewsError('ErrorNoFreeBusyAccess', full(query))],
    ['an error code under the class Success', (query: EwsQuery) => ewsError('ErrorFreeBusyGenerationFailed', full(query), 'Success')],
    ['an error code under the class Warning', (query: EwsQuery) => ewsError('ErrorBatchProcessingStopped', full(query), 'Warning')],
    ['no response code', (query: EwsQuery) => bare('<m:ResponseMessage ResponseClass="Success"/>', full(query))],
    ['no response message', (query: EwsQuery) => bare('', full(query))],
    ['an error class with NoError', (query: EwsQuery) => ewsError('NoError', full(query), 'Error')],
    ['neither digits nor events', () => ewsSuccess(view('FreeBusy', ''))],
    ['an event whose start cannot be read', () => ewsSuccess(view('FreeBusy', events(ewsEvent(MEETINGS[0]!), event('soon', '2026-03-02T11:00:00'))))],
    ['an event without an end', () => ewsSuccess(view('FreeBusy', events('<t:CalendarEvent><t:StartTime>2026-03-02T09:00:00</t:StartTime><t:BusyType>Busy</t:BusyType></t:CalendarEvent>')))],
    ['an event on 30 February', () => ewsSuccess(view('FreeBusy', events(event('2026-02-30T09:00:00', '2026-03-02T10:00:00'))))],
    ['something that is no event among them', () => ewsSuccess(view('FreeBusy', events(ewsEvent(MEETINGS[0]!), '<t:Meeting/>')))],
  ])('is no data for the mailbox that has %s, and the other is right', async (_what, response) => {
    answers((query) => ewsAvailability(query.addresses.map((address) => (address === anna ? response(query) : bens(query))).join('')));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, OTHER_TRUTH));
  });

  it('reads digits where there are no events, and calls what they do not reach no data', async () => {
    answers((query) => ewsAvailability(ewsSuccess(view('MergedOnly', digits(digitsOf(MEETINGS, query.start, query.end, query.interval).slice(0, 10))))));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(`${TRUTH.slice(0, 10)}444444`));
  });

  it.each(['7', 'x', '5', '-'])('calls the stretch of the digit %j no data', async (odd) => {
    answers((query) => ewsAvailability(ewsSuccess(view('MergedOnly', digits(digitsOf(MEETINGS, query.start, query.end, query.interval).replace(/^00/, `0${odd}`))))));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(`04${TRUTH.slice(2)}`));
  });

  it('never calls an unknown busy type free', async () => {
    answers(() => ewsAvailability(ewsSuccess(view('FreeBusy', events(event('2026-03-02T09:00:00', '2026-03-02T10:00:00', 'Dreaming'))))));
    const said = await threeFaces(house.bridge, [anna]);
    for (const face of [said.json, said.owa, said.soap]) expect(face[0]!.slice(4, 8)).toMatch(/^[24]{4}$/);
  });

  it('calls an event of type NoData no data', async () => {
    answers(() => ewsAvailability(ewsSuccess(view('FreeBusy', events(event('2026-03-02T09:00:00', '2026-03-02T10:00:00', 'NoData'))))));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay('0000444400000000'));
  });

  it.each([
    ['with status 500', 500],
    ['with status 200', 200],
  ])('is no data after a fault %s', async (_how, status) => {
    answers(() =>
      xmlAnswer(
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring><detail><e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">ErrorServerBusy</e:ResponseCode></detail></s:Fault></s:Body></s:Envelope>',
        status,
      ),
    );
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, NOTHING_KNOWN));
  });

  it.each(['Z', '+00:00', '+0000', ''])('reads times that end in %j', async (zone) => {
    answers(() => ewsAvailability(ewsSuccess(view('FreeBusy', events(event(`2026-03-02T09:00:00${zone}`, `2026-03-02T10:00:00${zone}`))))));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay('0000222200000000'));
  });
});

describe('cmd=freebusy', () => {
  const anna = 'anna@webdav.example';
  const ben = 'ben@webdav.example';
  const answers = (items: (query: OwaQuery, row: (meetings: typeof MEETINGS) => string) => string): void => {
    house.backEnds['exchange-webdav'].override = (seen) => {
      const query = readOwaQuery(seen.url);
      return owaResponse(items(query, (meetings) => digitsOf(meetings, query.start, query.end, query.interval)));
    };
  };
  /** Digits that make up a quarter of an hour, whatever interval the bridge asks for. */
  const perQuarter = (query: OwaQuery): number => 15 / query.interval;

  it('is read by name, whatever the order and the case', async () => {
    answers((_query, row) => owaItem('BEN@Webdav.Example', row(OTHER_MEETINGS)) + owaItem('Anna@webdav.example', row(MEETINGS)));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(TRUTH, OTHER_TRUTH));
  });

  it('ignores whom nobody asked for, and knows nothing of whom it leaves out', async () => {
    answers((_query, row) => owaItem('ceo@webdav.example', row(MEETINGS)) + owaItem(ben, row(OTHER_MEETINGS)));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, OTHER_TRUTH));
  });

  it('knows nothing of a mailbox given twice with different digits', async () => {
    answers((_query, row) => owaItem(anna, row(MEETINGS)) + owaItem(ben, row(OTHER_MEETINGS)) + owaItem(anna.toUpperCase(), row([])));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, OTHER_TRUTH));
  });

  it('reads a mailbox given twice with the same digits', async () => {
    answers((_query, row) => owaItem(anna, row(MEETINGS)) + owaItem(anna, row(MEETINGS)));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(TRUTH));
  });

  it.each([0, 1, 10])('calls the rest no data where there are only digits for %d quarters', async (count) => {
    answers((query, row) => owaItem(anna, row(MEETINGS).slice(0, count * perQuarter(query))));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(TRUTH.slice(0, count).padEnd(16, '4')));
  });

  it.each(['5', '7', 'x', ' ', 'é'])('calls the slot of the character %j no data', async (odd) => {
    answers((query, row) => {
      const from = 2 * perQuarter(query);
      return owaItem(anna, row(MEETINGS).slice(0, from) + odd.repeat(perQuarter(query)) + row(MEETINGS).slice(from + perQuarter(query)));
    });
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(`0040${TRUTH.slice(4)}`));
  });

  it('knows nothing of an item without digits or an address', async () => {
    answers((_query, row) => `<a:item><a:email type="SMTP">${anna}</a:email></a:item><a:item><a:fbdata>${row(MEETINGS)}</a:fbdata></a:item>${owaItem(ben, row(OTHER_MEETINGS))}`);
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, OTHER_TRUTH));
  });

  it('knows nothing where the answer has no recipients', async () => {
    house.backEnds['exchange-webdav'].override = () => xmlAnswer('<a:response xmlns:a="WM"/>');
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, NOTHING_KNOWN));
  });

  it('knows nothing where the command answers 207', async () => {
    house.backEnds['exchange-webdav'].override = (_seen, honest) => ({ ...honest(), status: 207 });
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(NOTHING_KNOWN));
  });
});

describe("Zimbra's GetFreeBusy", () => {
  const anna = 'anna@zimbra-side.example';
  const ben = 'ben@zimbra-side.example';
  const answers = (users: (query: ZimbraQuery) => string): void => {
    house.backEnds.zimbra.override = (seen, honest) => (isAuthRequest(seen) ? honest() : zimbraResponse(users(readZimbraQuery(seen.body))));
  };
  const annas = ({ start, end }: ZimbraQuery): string => zimbraSlots(MEETINGS, start, end);
  const bens = ({ start, end }: ZimbraQuery): string => zimbraSlots(OTHER_MEETINGS, start, end);

  it('is read by name, whatever the order', async () => {
    answers((query) => zimbraUser(ben, bens(query)) + zimbraUser(anna, annas(query)));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(TRUTH, OTHER_TRUTH));
  });

  it('ignores whom nobody asked for, and knows nothing of whom it leaves out', async () => {
    answers((query) => zimbraUser('ceo@zimbra-side.example', annas(query)) + zimbraUser(ben, bens(query)));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, OTHER_TRUTH));
  });

  it('knows nothing of a mailbox given twice with different slots', async () => {
    answers((query) => zimbraUser(anna, annas(query)) + zimbraUser(ben, bens(query)) + zimbraUser(anna, `<f s="${query.start}" e="${query.end}"/>`));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, OTHER_TRUTH));
  });

  it('calls what the slots do not cover no data: the end, the beginning, a gap, everything', async () => {
    const half = WINDOW.start + 2 * 3_600_000;
    answers(({ start }) => zimbraUser(anna, `<b s="${start}" e="${half}"/>`));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay('2222222244444444'));
    answers(({ end }) => zimbraUser(anna, `<b s="${half}" e="${end}"/>`));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay('4444444422222222'));
    answers(({ start, end }) => zimbraUser(anna, `<f s="${start}" e="${half}"/><b s="${half + 3_600_000}" e="${end}"/>`));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay('0000000044442222'));
    answers(() => zimbraUser(anna, ''));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(NOTHING_KNOWN));
  });

  it('never calls the stretch of an element that Zimbra does not have free', async () => {
    const half = WINDOW.start + 2 * 3_600_000;
    answers(({ start, end }) => zimbraUser(anna, `<q s="${start}" e="${half}"/><f s="${half}" e="${end}"/>`));
    const said = await threeFaces(house.bridge, [anna]);
    for (const face of [said.json, said.owa, said.soap]) expect(face[0]!.slice(0, 8)).toMatch(/^4{8}$/);
  });

  it.each([
    ['a start that is no number', (start: number, end: number) => `<f s="${start}" e="${start + 3_600_000}"/><b s="soon" e="${end}"/>`],
    ['no end', (start: number) => `<b s="${start}"/>`],
    ['an end before its start', (start: number, end: number) => `<f s="${start}" e="${end}"/><b s="${end}" e="${start}"/>`],
    ['an overflowing start', (_start: number, end: number) => `<b s="99999999999999999999" e="${end}"/>`],
  ])('never calls time free around a slot with %s', async (_what, slots) => {
    answers(({ start, end }) => zimbraUser(anna, slots(start, end)) + zimbraUser(ben, zimbraSlots(OTHER_MEETINGS, start, end)));
    const said = await threeFaces(house.bridge, [anna, ben]);
    for (const face of [said.json, said.owa, said.soap]) {
      expect(face[0]!.slice(4)).toBe('444444444444');
      expect(face[1]).toBe(OTHER_TRUTH);
    }
  });

  it.each([
    ['service.PERM_DENIED', 500],
    ['service.FAILURE', 200],
  ])('is no data after the fault %s with status %d', async (code, status) => {
    house.backEnds.zimbra.override = (seen, honest) => (isAuthRequest(seen) ? honest() : zimbraFault(code, status));
    expect(await threeFaces(house.bridge, [anna, ben])).toEqual(allSay(NOTHING_KNOWN, NOTHING_KNOWN));
  });

  it('signs in again where the token is no longer taken, and the answer is right', async () => {
    let refusals = 0;
    house.backEnds.zimbra.override = (seen, honest) => {
      if (isAuthRequest(seen) || refusals > 0) return honest();
      refusals += 1;
      return zimbraFault('service.AUTH_EXPIRED');
    };
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(TRUTH));
    expect(house.backEnds.zimbra.requests.some(isAuthRequest)).toBe(true);
  });
});

describe.each(['exchange-webdav public-folder', 'exchange-ews public-folder'] as const)('the free/busy message by %s', (kind) => {
  const isWebdav = kind.startsWith('exchange-webdav');
  const domain = isWebdav ? 'webdav-pf.example' : 'ews-pf.example';
  const anna = `anna@${domain}`;
  const publishes = (message: Message, subject = 'USER-/CN=RECIPIENTS/CN=ANNA'): void => {
    house.backEnds[kind].override = (seen, honest) => {
      if (isWebdav) return xmlAnswer(propfindResponse(message, subject), 207);
      return seen.body.includes('<m:GetItem') ? ewsResponseMessages('GetItem', [ewsItem(message, subject, 'USER-/CN=RECIPIENTS/CN=ANNA')]) : honest();
    };
  };
  const hour = (at: number): number => Date.UTC(2026, 2, 2, at);
  const block = (...minutes: readonly number[]): string => Buffer.from(new Uint16Array(minutes).buffer).toString('base64');
  const day = 1440;
  const MARCH = 2026 * 16 + 3;
  const whole = { publishStart: Date.UTC(2026, 1, 1), publishEnd: Date.UTC(2026, 4, 1) };

  it('knows nothing outside its publish range', async () => {
    publishes(messageOf(MEETINGS, hour(9), hour(11)));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay('4444222200004444'));
  });

  it("knows nothing where the message is somebody else's", async () => {
    publishes(messageOf(MEETINGS, whole.publishStart, whole.publishEnd), 'USER-/CN=RECIPIENTS/CN=CEO');
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(NOTHING_KNOWN));
  });

  it('knows nothing where the range is reversed', async () => {
    publishes(messageOf(MEETINGS, whole.publishEnd, whole.publishStart));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(NOTHING_KNOWN));
  });

  it('ignores phantom months', async () => {
    publishes({ ...whole, pairs: { '6853': [[2026 * 16 + 13, block(day + 480, day + 720)], [2026 * 16, block(day + 480, day + 720)], [MARCH, block(day + 540, day + 600)]] } });
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay('0000222200000000'));
  });

  it('says nothing of free time where a block cannot be read', async () => {
    publishes({ ...whole, pairs: { '6853': [[MARCH, '*not base64*']] } });
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(NOTHING_KNOWN));
  });

  it('says nothing of free time where a block is cut off inside a pair', async () => {
    publishes({ ...whole, pairs: { '6853': [[MARCH, Buffer.concat([Buffer.from(block(day + 540, day + 600), 'base64'), Buffer.from([1, 2])]).toString('base64')]] } });
    const said = await threeFaces(house.bridge, [anna]);
    // Pairs ascend: what is lost lies after the last that could be read.
    for (const face of [said.json, said.owa, said.soap]) expect(face[0]).toMatch(/^[04]{4}[24]{4}4{8}$/);
  });

  it('is no data, not free, where the months and the blocks differ in number', async () => {
    const odd = { ...whole, pairs: { '6853': [[MARCH, block(day + 540, day + 600)], [MARCH + 1, block(0, 60)]] } } as const;
    const drop = (text: string): string => text.replace(/<(c:v|t:Value)>32420<\/\1>/, '');
    house.backEnds[kind].override = (seen, honest) => {
      if (isWebdav) return xmlAnswer(drop(propfindResponse(odd, 'USER-/CN=RECIPIENTS/CN=ANNA')), 207);
      return seen.body.includes('<m:GetItem') ? ewsResponseMessages('GetItem', [drop(ewsItem(odd, 'USER-/CN=RECIPIENTS/CN=ANNA', 'USER-/CN=RECIPIENTS/CN=ANNA'))]) : honest();
    };
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(NOTHING_KNOWN));
  });

  it('reads the vector of exchange.md §1.5', async () => {
    publishes({ publishStart: Date.UTC(2026, 2, 1), publishEnd: Date.UTC(2026, 5, 1), pairs: { '6853': [[32419, 'vDQWNeitYK4='], [32420, 'AAB4AA==']], '6851': [[32419, 'u2LoYg==']], '6855': [[32420, 'IBxAOA==']] } });
    const { results } = await askJson(house.bridge.url, JUDGE, [anna], { start: Date.UTC(2026, 2, 1), end: Date.UTC(2026, 3, 12) });
    expect(results[0]!.busy!.map(({ start, end, type }) => `${type} ${start}/${end}`)).toEqual([
      'busy 2026-03-10T09:00:00.000Z/2026-03-10T10:30:00.000Z',
      'tentative 2026-03-18T13:15:00.000Z/2026-03-18T14:00:00.000Z',
      'busy 2026-03-31T22:00:00.000Z/2026-04-01T02:00:00.000Z',
      'oof 2026-04-06T00:00:00.000Z/2026-04-11T00:00:00.000Z',
    ]);
  });
});

describe('ifb', () => {
  const anna = 'anna@ifb.example';
  const publishes = (text: string): void => {
    house.backEnds.ifb.override = () => ifbAnswer(text);
  };
  const month = [Date.UTC(2026, 2, 1), Date.UTC(2026, 3, 1)] as const;
  const good = ifbText(MEETINGS, ...month);
  const withLines = (...lines: readonly string[]): string => ifbText([], ...month).replace('END:VFREEBUSY', `${lines.join('\r\n')}\r\nEND:VFREEBUSY`);

  it.each([
    ['is empty', ''],
    ['has no VFREEBUSY', 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n'],
    ['holds an event instead', 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nDTSTART:20260302T090000Z\r\nDTEND:20260302T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n'],
    ['has no END:VFREEBUSY', good.slice(0, good.indexOf('END:VFREEBUSY'))],
    ['has no DTSTART', good.replace(/DTSTART:.*\r\n/, '')],
    ['has no DTEND', good.replace(/DTEND:.*\r\n/, '')],
    ['has its DTEND before its DTSTART', good.replace(/DTEND:.*/, 'DTEND:20260201T000000Z')],
    ['has a period without an end', withLines('FREEBUSY:20260302T090000Z/')],
    ['has a period that is no time', withLines('FREEBUSY:tomorrow/PT1H')],
    ['has a period that ends before it starts', withLines('FREEBUSY:20260302T100000Z/20260302T090000Z')],
    ['has one unreadable period among good ones', withLines('FREEBUSY:20260302T090000Z/20260302T100000Z,nonsense')],
    ['has a period in a zone nobody defines', withLines('FREEBUSY:20260302T090000/20260302T100000')],
  ])('is no data where the answer %s', async (_what, text) => {
    publishes(text);
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay(NOTHING_KNOWN));
  });

  it('knows nothing outside DTSTART and DTEND', async () => {
    publishes(ifbText(MEETINGS, Date.UTC(2026, 2, 2, 9), Date.UTC(2026, 2, 2, 11)));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay('4444222200004444'));
  });

  it('takes no FBTYPE and an unknown FBTYPE for BUSY, and FREE for free', async () => {
    publishes(withLines('FREEBUSY:20260302T080000Z/PT30M', 'FREEBUSY;FBTYPE=X-MAYBE:20260302T090000Z/20260302T093000Z', 'FREEBUSY;FBTYPE=FREE:20260302T100000Z/20260302T110000Z', 'FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260302T110000Z/PT1H'));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay('2200220000003333'));
  });

  it('reads folded lines and lists of periods', async () => {
    publishes(withLines('FREEBUSY:20260302T080000Z/PT30M,2026030', ' 2T090000Z/PT30M'));
    expect(await threeFaces(house.bridge, [anna])).toEqual(allSay('2200220000000000'));
  });
});
