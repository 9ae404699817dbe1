import { randomBytes, timingSafeEqual } from 'node:crypto';
import { ENTRY_TYPES, REPLIES, SENSITIVITIES } from './calendar-store.ts';
import type { CalendarStore, Entry, EntryType, NewEntry, Reply, Sensitivity } from './calendar-store.ts';
import type { SandboxPointer } from './pointer-file.ts';
import { percentDecoded } from './raw-query.ts';
import { createStandIn } from './stand-in.ts';
import type { StandIn, StandInAnswer, StandInRequest } from './stand-in.ts';
import { openWire } from './wire-request.ts';

const SOURCE = 'sandbox: its own control';

/** The sandbox's control: `GET /calendars`, `GET` and `POST /calendars/{address}`, `DELETE /calendars/{address}/{id}`, for whoever has the token. */
export interface Control extends StandIn {
  readonly token: string;
}

export function createControl(storeOf: (address: string) => CalendarStore | undefined, everyAddress: () => readonly string[]): Control {
  const token = randomBytes(24).toString('base64url');
  const expected = Buffer.from(`Bearer ${token}`);
  const standIn = createStandIn('the sandbox’s control', (request) => {
    const given = Buffer.from(request.headers.authorization ?? '');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return json(401, { error: 'the token of the sandbox is needed' });
    if (request.path === '/calendars' && request.method === 'GET') return json(200, { mailboxes: everyAddress() });
    const path = /^\/calendars\/([^/]+)(?:\/([^/]+))?$/.exec(request.path);
    const address = percentDecoded(path?.[1] ?? '');
    const calendars = storeOf(address);
    if (calendars?.find(address) === undefined) return json(404, { error: `the sandbox has no mailbox of that address; it has ${everyAddress().join(', ')}` });
    if (path?.[2] !== undefined) {
      if (request.method !== 'DELETE') return json(405, { error: 'DELETE' });
      return calendars.remove(address, percentDecoded(path[2])) ? json(200, {}) : json(404, { error: 'that calendar has no such entry' });
    }
    if (request.method === 'GET') return json(200, { entries: calendars.list(address).map(shown) });
    if (request.method === 'POST') return addEntry(request, calendars, address);
    return json(405, { error: 'GET or POST' });
  });
  return Object.defineProperties({ token }, Object.getOwnPropertyDescriptors(standIn)) as Control;
}

/** What `sandbox add` prints and `GET` lists; times in ISO 8601. */
export interface ShownEntry {
  readonly id: string;
  readonly start: string;
  readonly end: string;
  readonly type: EntryType;
  readonly subject: string;
  readonly location: string;
  readonly private: boolean;
  readonly sensitivity: Sensitivity;
  readonly isAllDay: boolean;
  readonly isCancelled: boolean;
  readonly reply: Reply;
}

/** Adds an entry to a calendar of a running sandbox. @throws Error with the sandbox's own words when it refuses. */
export async function addToRunningSandbox(pointer: SandboxPointer, address: string, entry: NewEntry): Promise<ShownEntry> {
  return (await ask(pointer, 'POST', `/calendars/${encodeURIComponent(address)}`, JSON.stringify(entry))) as ShownEntry;
}

/** Takes an entry out of a calendar of a running sandbox. @throws Error with the sandbox's own words when it refuses. */
export async function removeFromRunningSandbox(pointer: SandboxPointer, address: string, id: string): Promise<void> {
  await ask(pointer, 'DELETE', `/calendars/${encodeURIComponent(address)}/${encodeURIComponent(id)}`);
}

/** The entries of one mailbox of a running sandbox. @throws Error with the sandbox's own words when it refuses. */
export async function listOfRunningSandbox(pointer: SandboxPointer, address: string): Promise<readonly ShownEntry[]> {
  return ((await ask(pointer, 'GET', `/calendars/${encodeURIComponent(address)}`)) as { readonly entries: readonly ShownEntry[] }).entries;
}

async function ask(pointer: SandboxPointer, method: string, target: string, body = ''): Promise<unknown> {
  const url = new URL(pointer.url);
  const wire = openWire(url);
  try {
    const answer = await wire.send(method, target, ['Host', url.host, 'Authorization', `Bearer ${pointer.token}`, 'Content-Length', String(Buffer.byteLength(body)), 'Connection', 'close'], body);
    const read = JSON.parse(answer.body.toString('utf8')) as { readonly error?: string };
    if (answer.status >= 400) throw new Error(read.error ?? `the sandbox answered ${answer.status}`);
    return read;
  } finally {
    wire.close();
  }
}

function addEntry(request: StandInRequest, calendars: CalendarStore, address: string): StandInAnswer {
  try {
    return json(201, shown(calendars.add(address, readEntry(request.body.toString('utf8')))));
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) return json(400, { error: error.message });
    throw error;
  }
}

/** `start` and `end` as ISO 8601 or epoch milliseconds. @throws RangeError | SyntaxError */
function readEntry(body: string): NewEntry {
  const read = JSON.parse(body) as Readonly<Record<string, unknown>> | null;
  const type = ENTRY_TYPES.find((one) => one === (read?.['type'] ?? 'busy'));
  if (type === undefined) throw new RangeError(`type is one of ${ENTRY_TYPES.join(', ')}`);
  const text = (name: string): string => (typeof read?.[name] === 'string' ? read[name] : '');
  const sensitivity = SENSITIVITIES.find((one) => one === read?.['sensitivity']);
  return {
    start: readInstant(read?.['start']),
    end: readInstant(read?.['end']),
    type,
    subject: text('subject'),
    location: text('location'),
    ...(read?.['private'] === true ? { private: true } : {}),
    ...(sensitivity === undefined ? {} : { sensitivity }),
    isAllDay: read?.['isAllDay'] === true,
    isCancelled: read?.['isCancelled'] === true,
    reply: REPLIES.find((one) => one === read?.['reply']) ?? 'none',
  };
}

function readInstant(value: unknown): number {
  const instant = typeof value === 'string' ? Date.parse(value) : value;
  if (typeof instant !== 'number' || !Number.isSafeInteger(instant)) throw new RangeError('start and end are ISO 8601 times or epoch milliseconds');
  return instant;
}

function shown(entry: Entry): ShownEntry {
  return { ...entry, start: new Date(entry.start).toISOString(), end: new Date(entry.end).toISOString() };
}

function json(status: number, body: unknown): StandInAnswer {
  return { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), source: SOURCE };
}
