import { Buffer } from 'node:buffer';

/** What people type first, and a little later; in the directory of the benchmark, `p` begins everybody's address and `a` the name of every sixteenth. */
export const PREFIXES: readonly (readonly [name: string, prefixes: readonly string[]])[] = [
  ['one character', ['a', 'b', 'k', 'm', 'p', 's']],
  ['three characters', ['ann', 'ber', 'hof', 'mar', 'ste', 'p00']],
];

/** As every auto complete here asks for: Zimbra's default. */
export const RESULTS = 20;

/** One request of a face over HTTP. */
export interface GalRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

/** How each face is asked for those who begin so; the answer holds `found` where it is right. */
export interface GalFace {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly request: (prefix: string) => GalRequest;
  readonly found: string;
}

/** Zimbra's own web client (zimbra.md §6.1). */
function autoCompleteGal(prefix: string): string {
  const request = { _jsns: 'urn:zimbraAccount', name: prefix, type: 'account', limit: RESULTS };
  return JSON.stringify({ Header: { context: { _jsns: 'urn:zimbra' } }, Body: { AutoCompleteGalRequest: request } });
}

/** Outlook's and DavMail's (exchange.md §3). */
function resolveNames(prefix: string): string {
  return (
    '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">' +
    '<s:Header><t:RequestServerVersion Version="Exchange2010_SP2"/></s:Header><s:Body><m:ResolveNames ReturnFullContactData="true" SearchScope="ActiveDirectory">' +
    `<m:UnresolvedEntry>${prefix}</m:UnresolvedEntry></m:ResolveNames></s:Body></s:Envelope>`
  );
}

/** The faces over HTTP, for a client that signs in by Basic. */
export function galFaces(username: string, password: string): readonly GalFace[] {
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const found = '@corp.example';
  return [
    { name: 'JSON', headers: { authorization }, found, request: (prefix) => ({ method: 'GET', path: `/api/v1/directory?q=${prefix}&limit=${RESULTS}` }) },
    { name: 'Zimbra AutoCompleteGal', headers: { authorization, 'content-type': 'application/json' }, found, request: (prefix) => ({ method: 'POST', path: '/service/soap/', body: autoCompleteGal(prefix) }) },
    { name: 'EWS ResolveNames (100)', headers: { authorization, 'content-type': 'text/xml; charset=utf-8' }, found, request: (prefix) => ({ method: 'POST', path: '/EWS/Exchange.asmx', body: resolveNames(prefix) }) },
    // DN is any word of the display name, AN the alias (exchange.md §2.5): here `p000000` and so on.
    { name: 'OWA galfind (100)', headers: { authorization }, found, request: (prefix) => ({ method: 'GET', path: `/public/?cmd=galfind&${prefix.startsWith('p') ? 'AN' : 'DN'}=${prefix}` }) },
  ];
}
