import { BridgeError } from '../../../src/core/errors.ts';
import type { Requester } from '../../../src/core/request-context.ts';
import { caldavEndpoint } from '../../../src/protocols/caldav/endpoint.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { ask, basic } from '../../flows/raw-http.ts';
import type { RawAnswer, RawQuestion } from '../../flows/raw-http.ts';
import { faceUnderTest } from '../face-under-test.ts';
import type { FaceOptions, FaceUnderTest } from '../face-under-test.ts';

export const HOME = '/caldav/calendars/peer/';
export const OUTBOX = `${HOME}outbox/`;

export const PEER: Requester = { name: 'peer', from: 'outside', mayAsk: new Set(['exchange']), detail: 'details', anonymous: false, presence: 'none' };
export const hour = (number: number): number => Date.UTC(2026, 10, 18, number);

/** Everybody that the tests ask about. */
export const CALENDARS: NonNullable<FaceOptions['calendars']> = {
  'kim@zimbra.example': { events: [{ start: hour(9), end: hour(10), busyType: 'busy', subject: 'Secret budget', location: 'Secret room' }] },
  'anna@corp.example': { busy: [{ start: hour(12), end: hour(14), busyType: 'oof' }, { start: hour(15), end: hour(16), busyType: 'working-elsewhere' }] },
  'half@corp.example': { busy: [{ start: hour(9), end: hour(10), busyType: 'busy' }], known: [{ start: hour(8), end: hour(13) }] },
  'nothing@corp.example': { known: [] },
  'away@corp.example': new BridgeError('BACKEND_UNREACHABLE', 'the calendar system cannot be reached'),
  'hidden@corp.example': new BridgeError('MAILBOX_REFUSED', 'no such mailbox'),
  'free@corp.example': {},
  'crowded@corp.example': { busy: Array.from({ length: 18_000 }, (_, index) => ({ start: hour(8) + index * 2_000, end: hour(8) + index * 2_000 + 1_000, busyType: 'busy' })) },
  'peer@corp.example': { busy: [{ start: hour(9), end: hour(11), busyType: 'tentative' }] },
};

/** The face with one client, `peer@corp.example`. */
export async function openFace(options: FaceOptions = {}): Promise<FaceUnderTest> {
  return faceUnderTest((services) => caldavEndpoint(services), {
    calendars: CALENDARS,
    accounts: [{ requester: PEER, credentials: { username: 'peer@corp.example', password: 'pw' } }],
    ...options,
  });
}

/** One request of that client. */
export async function request(face: FaceUnderTest, method: string, target: string, question: RawQuestion = {}): Promise<RawAnswer> {
  return ask(face.url, target, { ...question, method, headers: { ...basic('peer@corp.example', 'pw'), ...question.headers } });
}

export interface Propstats {
  readonly [status: string]: Readonly<Record<string, unknown>> | readonly string[];
}

/** A multi-status by href and status: values under 200, names under 404; a plain status as it stands. */
export async function multiStatus(body: string): Promise<Record<string, Propstats | string>> {
  const root = await readXml(body);
  if (root.ns !== 'DAV:' || root.name !== 'multistatus') throw new Error(`no multistatus: ${body}`);
  const out: Record<string, Propstats | string> = {};
  for (const response of root.children) {
    const href = text(one(response, 'href'));
    const status = response.children.find((child) => child.name === 'status');
    out[href] = status !== undefined ? text(status) : Object.fromEntries(response.children.filter((child) => child.name === 'propstat').map(propstat));
  }
  return out;
}

function propstat(element: XmlElement): [string, Record<string, unknown> | string[]] {
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text(one(element, 'status')))![1]!;
  const properties = one(element, 'prop').children;
  return [status, status === '200' ? Object.fromEntries(properties.map((property) => [property.name, valueOf(property)])) : properties.map((property) => property.name)];
}

/** Text, the only href's text, or the names of what is inside. */
function valueOf(property: XmlElement): unknown {
  if (property.children.length === 0) return property.text;
  if (property.children.every((child) => child.children.length === 0 && child.text !== '')) return property.children.map((child) => child.text).join(' ');
  return property.children.map((child) => {
    const names = [child.name];
    for (let at = child.children[0]; at !== undefined; at = at.children[0]) names.push(at.name);
    return names.join('/').replace(/^privilege/, 'DAV:privilege');
  });
}

export function one(element: XmlElement, name: string): XmlElement {
  const found = element.children.filter((child) => child.name === name);
  if (found.length !== 1) throw new Error(`${found.length} ${name} in ${element.name}`);
  return found[0]!;
}

export function text(element: XmlElement): string {
  return element.text.trim();
}

/** The element inside a `D:error`, as `{namespace}name`. */
export async function errorIn(body: string): Promise<string> {
  const root = await readXml(body);
  const [first] = root.children;
  return root.ns === 'DAV:' && root.name === 'error' ? `{${first?.ns}}${first?.name}` : `no error: ${root.name}`;
}
