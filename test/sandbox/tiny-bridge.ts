import { attribute, child, childrenNamed, childText } from '../../src/platform/xml/element.ts';
import type { XmlElement } from '../../src/platform/xml/element.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import type { Entry } from '../../src/sandbox/calendar-store.ts';
import { contactOf, ZIMBRA_DETAILS } from '../../src/sandbox/people.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { writeBasic } from '../../src/sandbox/stand-in-credentials.ts';

/** What this bridge does wrong. */
export interface TinyBridgeOptions {
  /** What it makes of a calendar before it writes it. */
  readonly distort?: (entries: readonly Entry[]) => readonly Entry[];
  readonly skipsEws?: boolean;
}

const DAY_MS = 86_400_000;

/**
 * A bridge of a hundred lines that replicates busy and tentative time of Zimbra's people into both Exchanges, for the walk to be
 * tried with: hears the WaitSet, reads the calendars past every protocol, writes text by hand. It writes what lies between
 * yesterday and 30 days ahead in one busy list (oof as away), as far as one month and the next go.
 */
export function startTinyBridge(sandbox: Sandbox, options: TinyBridgeOptions = {}): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const running = run(sandbox, options, stopped.signal).catch((error: unknown) => {
    if (!stopped.signal.aborted) throw error;
  });
  return {
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

async function run(sandbox: Sandbox, options: TinyBridgeOptions, signal: AbortSignal): Promise<void> {
  const token = childText(await soap(sandbox, `<AuthRequest xmlns="urn:zimbraAdmin"><name>${sandbox.accounts.zimbraAdmin.username}</name><password>${sandbox.accounts.zimbraAdmin.password}</password></AuthRequest>`, '', signal), 'authToken')!;
  const created = await soap(sandbox, '<AdminCreateWaitSetRequest xmlns="urn:zimbraAdmin" defTypes="a" allAccounts="1"/>', token, signal);
  const waitSet = attribute(created, 'waitSet')!;
  let seq = attribute(created, 'seq')!;
  for (const address of Object.keys(ZIMBRA_DETAILS)) await replicate(sandbox, options, address, signal);
  for (;;) {
    const heard = await soap(sandbox, `<AdminWaitSetRequest xmlns="urn:zimbraAdmin" waitSet="${waitSet}" seq="${seq}" defTypes="a" block="1" timeout="20"/>`, token, signal);
    for (const one of childrenNamed(heard, 'a')) await replicate(sandbox, options, sandbox.zimbra.accounts.byId(attribute(one, 'id')!)!.address, signal);
    seq = attribute(heard, 'seq')!;
  }
}

async function soap(sandbox: Sandbox, operation: string, token: string, signal: AbortSignal): Promise<XmlElement> {
  const body = `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Header><context xmlns="urn:zimbra"><authToken>${token}</authToken></context></soap:Header><soap:Body>${operation}</soap:Body></soap:Envelope>`;
  const answer = await fetch(`${sandbox.zimbra.url}/service/admin/soap/`, { method: 'POST', body, signal });
  return child(await readXml(await answer.text()), 'Body')!.children[0]!;
}

interface Pair {
  readonly ids: readonly [months: string, blocks: string];
  readonly months: readonly number[];
  readonly blocks: readonly string[];
}

async function replicate(sandbox: Sandbox, options: TinyBridgeOptions, address: string, signal: AbortSignal): Promise<void> {
  const details = ZIMBRA_DETAILS[address];
  if (details?.foreignPrincipal === undefined || details.deniesFreeBusy === true) return;
  const today = Math.floor(sandbox.clock.now() / DAY_MS) * DAY_MS;
  const window = { start: today - DAY_MS, end: today + 30 * DAY_MS };
  const entries = (options.distort ?? ((all) => all))(sandbox.calendars.zimbra.touching(address, window.start, window.end));
  const busy = ['busy'];
  const pairs = [pair(['684F', '6850'], entries, [...busy, 'oof']), pair(['6851', '6852'], entries, ['tentative']), pair(['6853', '6854'], entries, busy), pair(['6855', '6856'], entries, ['oof'])];
  const minutes = [window.start, window.end].map((at) => at / 60_000 + 194_074_560);
  const cn = details.foreignPrincipal.slice('ad:'.length);
  const subject = `USER-/CN=RECIPIENTS/CN=${cn.toUpperCase()}`;
  await proppatch(sandbox, contactOf(sandbox.exchange2003.organisation, address)!, subject, minutes, pairs, signal);
  if (options.skipsEws !== true) await writeItem(sandbox, contactOf(sandbox.exchangeEws.organisation, address)!, subject, minutes, pairs, signal);
}

function pair(ids: readonly [string, string], entries: readonly Entry[], types: readonly string[]): Pair {
  const byMonth = new Map<number, [number, number][]>();
  for (const entry of entries.filter((one) => types.includes(one.type))) {
    for (let at = entry.start; at < entry.end; ) {
      const date = new Date(at);
      const [first, next] = [0, 1].map((ahead) => Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + ahead, 1)) as [number, number];
      const month = date.getUTCFullYear() * 16 + date.getUTCMonth() + 1;
      const until = Math.min(entry.end, next);
      const [from, to] = [(at - first) / 60_000, (until - first) / 60_000];
      const pairs = byMonth.get(month) ?? [];
      const last = pairs.at(-1);
      if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
      else byMonth.set(month, [...pairs, [from, to]]);
      at = until;
    }
  }
  const months = [...byMonth.keys()].sort((one, other) => one - other);
  return { ids, months, blocks: months.map((month) => Buffer.from(new Uint16Array(byMonth.get(month)!.flat()).buffer).toString('base64')) };
}

async function proppatch(sandbox: Sandbox, dn: string, subject: string, [start, end]: readonly number[], pairs: readonly Pair[], signal: AbortSignal): Promise<void> {
  const values = (list: readonly (string | number)[]): string => list.map((one) => `<x:v>${one}</x:v>`).join('');
  const set = pairs.filter((one) => one.months.length > 0).map(({ ids, months, blocks }) => `<p:x${ids[0]}1003 t:dt="mv.int">${values(months)}</p:x${ids[0]}1003><p:x${ids[1]}1102 t:dt="mv.bin.base64">${values(blocks)}</p:x${ids[1]}1102>`);
  const removed = pairs.filter((one) => one.months.length === 0).map(({ ids }) => `<p:x${ids[0]}1003/><p:x${ids[1]}1102/>`);
  const body = `<D:propertyupdate xmlns:D="DAV:" xmlns:p="http://schemas.microsoft.com/mapi/proptag/" xmlns:m="http://schemas.microsoft.com/mapi/" xmlns:t="urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/" xmlns:x="xml:"><D:set><D:prop><m:subject>${subject}</m:subject><p:x6849001F>${dn}</p:x6849001F><p:x68470003 t:dt="int">${start}</p:x68470003><p:x68480003 t:dt="int">${end}</p:x68480003><p:x68680040 t:dt="dateTime.tz">${new Date(sandbox.clock.now()).toISOString()}</p:x68680040>${set.join('')}</D:prop></D:set>${removed.length === 0 ? '' : `<D:remove><D:prop>${removed.join('')}</D:prop></D:remove>`}</D:propertyupdate>`;
  const name = (text: string): string => encodeURIComponent(text.replaceAll('/', '_xF8FF_'));
  const path = `/public/NON_IPM_SUBTREE/SCHEDULE%2B%20FREE%20BUSY/${name(`EX:${sandbox.exchange2003.organisation}`)}/${name(subject)}.EML`;
  const answer = await fetch(sandbox.exchange2003.url + path, { method: 'PROPPATCH', body, signal, headers: { Authorization: writeBasic(sandbox.accounts.exchange2003), 'Content-Type': 'text/xml' } });
  const text = await answer.text();
  if (text.includes(' 422 ')) throw new Error(`refused: ${answer.headers.get('x-sandbox-reason')}`);
}

async function writeItem(sandbox: Sandbox, dn: string, subject: string, [start, end]: readonly number[], pairs: readonly Pair[], signal: AbortSignal): Promise<void> {
  const ns = 'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';
  const post = async (body: string): Promise<string> => {
    const answer = await fetch(`${sandbox.exchangeEws.url}/EWS/Exchange.asmx`, { method: 'POST', signal, headers: { Authorization: writeBasic(sandbox.accounts.exchangeEws), 'Content-Type': 'text/xml' }, body: `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>${body}</s:Body></s:Envelope>` });
    return answer.text();
  };
  const idIn = (text: string, element: string): string | undefined => new RegExp(`<t:${element} Id="([^"]*)"`).exec(text)?.[1];
  let folder = idIn(await post(`<m:GetFolder ${ns}><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id="publicfoldersroot"/></m:FolderIds></m:GetFolder>`), 'ParentFolderId')!;
  const restriction = (field: string, value: string): string => `<m:Restriction><t:IsEqualTo><t:FieldURI FieldURI="${field}"/><t:FieldURIOrConstant><t:Constant Value="${value}"/></t:FieldURIOrConstant></t:IsEqualTo></m:Restriction>`;
  const within = (): string => `<m:ParentFolderIds><t:FolderId Id="${folder}"/></m:ParentFolderIds>`;
  for (const name of ['NON_IPM_SUBTREE', 'SCHEDULE+ FREE BUSY', `EX:${sandbox.exchangeEws.organisation}`]) {
    folder = idIn(await post(`<m:FindFolder ${ns} Traversal="Shallow"><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>${restriction('folder:DisplayName', name)}${within()}</m:FindFolder>`), 'FolderId')!;
  }
  const there = idIn(await post(`<m:FindItem ${ns} Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>${restriction('item:Subject', subject)}${within()}</m:FindItem>`), 'ItemId');
  const uri = (tag: string, type: string): string => `<t:ExtendedFieldURI PropertyTag="0x${tag}" PropertyType="${type}"/>`;
  const property = (tag: string, type: string, value: string): string => `<t:ExtendedProperty>${uri(tag, type)}${value}</t:ExtendedProperty>`;
  const values = (list: readonly (string | number)[]): string => `<t:Values>${list.map((one) => `<t:Value>${one}</t:Value>`).join('')}</t:Values>`;
  const set: readonly (readonly [string, string, string])[] = [
    ['6849', 'String', `<t:Value>${dn}</t:Value>`], ['6847', 'Integer', `<t:Value>${start}</t:Value>`], ['6848', 'Integer', `<t:Value>${end}</t:Value>`],
    ['6868', 'SystemTime', `<t:Value>${new Date(sandbox.clock.now()).toISOString()}</t:Value>`],
    ...pairs.filter((one) => one.months.length > 0).flatMap(({ ids, months, blocks }) => [[ids[0], 'IntegerArray', values(months)], [ids[1], 'BinaryArray', values(blocks)]] as const),
  ];
  if (there === undefined) {
    await post(`<m:CreateItem ${ns} MessageDisposition="SaveOnly"><m:SavedItemFolderId><t:FolderId Id="${folder}"/></m:SavedItemFolderId><m:Items><t:PostItem><t:ItemClass>IPM.Post</t:ItemClass><t:Subject>${subject}</t:Subject>${set.map((one) => property(...one)).join('')}</t:PostItem></m:Items></m:CreateItem>`);
    return;
  }
  const updates = set.map(([tag, type, value]) => `<t:SetItemField>${uri(tag, type)}<t:PostItem>${property(tag, type, value)}</t:PostItem></t:SetItemField>`);
  const gone = pairs.filter((one) => one.months.length === 0).map(({ ids }) => `<t:DeleteItemField>${uri(ids[0], 'IntegerArray')}</t:DeleteItemField><t:DeleteItemField>${uri(ids[1], 'BinaryArray')}</t:DeleteItemField>`);
  await post(`<m:UpdateItem ${ns} ConflictResolution="AlwaysOverwrite" MessageDisposition="SaveOnly"><m:ItemChanges><t:ItemChange><t:ItemId Id="${there}"/><t:Updates>${updates.join('')}${gone.join('')}</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>`);
}
