import { createHmac } from 'node:crypto';
import type { Directory } from '../../../../src/directory/directory.ts';
import { NO_DIRECTORY } from '../../../../src/directory/no-directory.ts';
import { zimbraSoapEndpoint } from '../../../../src/protocols/zimbra-soap/endpoint.ts';
import { ASKER, ASKER_BASIC, faceUnderTest } from '../../face-under-test.ts';
import type { FaceOptions, FaceUnderTest } from '../../face-under-test.ts';

/** zimbra.md §2.2: 2026-11-18T08:00Z to 18:00Z. */
export const START = 1794988800000;
export const END = 1795024800000;

export const openFace = ({ directory = NO_DIRECTORY, ...options }: FaceOptions & { readonly directory?: Directory } = {}): Promise<FaceUnderTest> =>
  faceUnderTest((services) => zimbraSoapEndpoint({ ...services, directory }), options);

/** A face with an address book, for the one client of a face under test with the given right. */
export const openGalFace = (directory: Directory, gal: 'none' | 'search' | 'sync' = 'sync'): Promise<FaceUnderTest> =>
  openFace({ directory, accounts: [{ requester: { ...ASKER, gal }, credentials: { username: 'asker', password: 'pw-of-asker' } }] });

export interface RawAnswer {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly text: string;
}

/** Sends a body as it is; with the test client's Basic credentials unless headers say otherwise. */
export async function send(face: FaceUnderTest, body: string | Buffer, headers: Record<string, string> = { authorization: ASKER_BASIC }): Promise<RawAnswer> {
  const response = await fetch(`${face.url}/service/soap/`, { method: 'POST', body, headers });
  return { status: response.status, type: response.headers.get('content-type'), headers: response.headers, text: await response.text() };
}

/** A JSON message around one request, as Zimbra's clients send it (zimbra.md §1.2). */
export function jsonMessage(body: unknown, context: Record<string, unknown> = {}): string {
  return JSON.stringify({ Header: { context: { _jsns: 'urn:zimbra', ...context } }, Body: body });
}

interface JsonSlot {
  readonly s: number;
  readonly e: number;
}

type JsonSlots = Readonly<Record<'f' | 't' | 'b' | 'u' | 'n', readonly JsonSlot[]>>;

interface JsonUsers {
  readonly requestId: string;
  readonly usr: readonly ({ readonly id: string } & JsonSlots)[];
}

interface JsonFault {
  readonly requestId: string;
  readonly Code: { readonly Value: string };
  readonly Reason: { readonly Text: string };
  readonly Detail: { readonly Error: { readonly Code: string; readonly Trace: string } };
}

interface JsonContact {
  readonly id: string;
  readonly ref: string;
  readonly exp?: boolean;
  readonly tooManyMembers?: boolean;
  readonly _attrs?: Readonly<Record<string, string | readonly string[]>>;
}

interface JsonContacts {
  readonly more: boolean;
  readonly cn?: readonly JsonContact[];
}

/** What may stand in the Body of a Zimbra's JSON; a test that finds another shape fails. */
export interface JsonBody {
  readonly Fault: JsonFault;
  readonly AuthResponse: { readonly authToken: readonly [{ readonly _content: string }]; readonly lifetime: number };
  readonly GetFreeBusyResponse: JsonUsers;
  readonly GetWorkingHoursResponse: JsonUsers;
  readonly CheckRecurConflictsResponse: { readonly inst: readonly unknown[] };
  readonly NoOpResponse: Readonly<Record<string, unknown>>;
  readonly SearchCalendarResourcesResponse: Readonly<Record<string, unknown>> & { readonly calresource?: readonly (JsonContact & { readonly name: string })[] };
  readonly SearchGalResponse: JsonContacts & { readonly sortBy: string; readonly offset: number };
  readonly AutoCompleteGalResponse: JsonContacts;
  readonly AutoCompleteResponse: { readonly canBeCached: boolean; readonly match?: readonly { readonly email: string; readonly isGroup: boolean; readonly exp?: boolean }[] };
  readonly SyncGalResponse: JsonContacts & { readonly token: string; readonly throttled?: boolean; readonly fullSyncRecommended?: boolean; readonly remain?: number; readonly deleted?: readonly { readonly id: string }[] };
  readonly GetDistributionListMembersResponse: { readonly more: boolean; readonly total: number; readonly dlm?: readonly { readonly _content: string }[] };
  readonly BatchResponse: {
    readonly _jsns: string;
    readonly GetFreeBusyResponse: readonly [JsonUsers, ...JsonUsers[]];
    readonly GetWorkingHoursResponse: readonly [JsonUsers, ...JsonUsers[]];
    readonly NoOpResponse: readonly unknown[];
    readonly SearchGalResponse: readonly JsonContacts[];
    readonly SyncGalResponse: readonly (JsonContacts & { readonly token: string; readonly throttled?: boolean })[];
    readonly Fault: readonly JsonFault[];
  };
}

export interface JsonAnswer extends RawAnswer {
  readonly Body: JsonBody;
}

export async function sendJson(face: FaceUnderTest, body: unknown, context: Record<string, unknown> = {}, headers?: Record<string, string>): Promise<JsonAnswer> {
  const answer = await send(face, jsonMessage(body, context), headers);
  return { ...answer, Body: (JSON.parse(answer.text) as { Body: JsonBody }).Body };
}

export const xmlMessage = (body: string, context = '', ns = 'http://www.w3.org/2003/05/soap-envelope'): string =>
  `<soap:Envelope xmlns:soap="${ns}"><soap:Header><context xmlns="urn:zimbra">${context}</context></soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`;

/** zimbra.md §1.4: HMAC-SHA1 over account|by|expires|timestamp with the key's characters. */
export function preauthOf(key: string, account: string, timestamp: number, expires = 0): string {
  return createHmac('sha1', key).update(`${account}|name|${expires}|${timestamp}`).digest('hex');
}
