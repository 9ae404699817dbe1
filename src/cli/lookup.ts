import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { DAY_MS } from '../core/clock.ts';
import { toBridgeError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { parseIsoTime } from '../core/iso-time.ts';
import type { ExplainNote, Requester } from '../core/request-context.ts';
import { askMailboxes } from '../freebusy/ask-mailboxes.ts';
import { floorTo } from '../freebusy/interval.ts';
import type { Interval } from '../freebusy/interval.ts';
import { deadlineSignal } from '../platform/http-server/request-scope.ts';
import { encodeFreeBusyBody } from '../protocols/rest-api/get-free-busy.ts';
import type { ResultBody } from '../protocols/rest-api/get-free-busy.ts';
import { clientNamed } from './client-named.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { loadConfiguration } from './load-configuration.ts';
import { makeBridge } from './make-bridge.ts';
import { commandActor } from './presence/presence-control.ts';
import type { Terminal } from './terminal.ts';

export interface LookupOptions {
  readonly config: string;
  readonly from?: string;
  readonly to?: string;
  readonly as?: string;
  readonly explain?: true;
  readonly json?: true;
}

/** `lookup ADDRESS...`: the same code as the faces, without a running bridge. 1 when a mailbox has no answer. */
export async function lookup(addresses: readonly string[], options: LookupOptions, terminal: Terminal): Promise<ExitCode> {
  const config = await loadConfiguration(options.config, terminal);
  if (config === undefined) return EXIT.wrongUsage;
  const window = windowOf(options);
  if (window === undefined) {
    terminal.complain('--from and --to take ISO 8601 times such as 2026-03-02T09:00:00Z');
    return EXIT.wrongUsage;
  }
  const requester = requesterFor(config, options.as);
  if (requester === undefined) {
    terminal.complain(`no client named ${String(options.as)}; clients: ${config.clients.map((one) => one.name).join(', ') || 'none'}`);
    return EXIT.wrongUsage;
  }
  // With --json the notes go beside the body, so that it stays one document.
  const explainTo = options.json === true ? terminal.complain : terminal.print;
  const explain = options.explain === true ? (note: ExplainNote) => explainTo(`  [${note.system}] ${note.kind}: ${note.text}`) : undefined;
  const deadline = Date.now() + (requester.deadlineMs ?? config.deadlineMs);
  const ctx = { requestId: randomUUID(), requester, hops: 0, deadline, signal: deadlineSignal(deadline), explain, saysAge: true, face: 'command', actor: commandActor().by } as const;
  const bridge = makeBridge(config, terminal);
  if (bridge === undefined) return EXIT.wrongUsage;
  try {
    await bridge.openAddressBook();
    await bridge.openPrivacy();
    const body = await encodeFreeBusyBody(window, await askMailboxes(bridge.lookup, addresses, window, requester.detail === 'details', ctx));
    if (options.json === true) terminal.print(JSON.stringify(body, undefined, 2));
    else for (const result of body.results) for (const line of describe(result)) terminal.print(line);
    return body.results.some((result) => 'error' in result) ? EXIT.failed : EXIT.done;
  } catch (error) {
    const { code, publicMessage } = toBridgeError(error);
    terminal.complain(publicMessage);
    return WRONG_QUESTION.has(code) ? EXIT.wrongUsage : EXIT.failed;
  } finally {
    await bridge.close();
  }
}

/** The question as a whole makes no sense: the caller's mistake, not a failure. */
const WRONG_QUESTION: ReadonlySet<ErrorCode> = new Set(['INVALID_REQUEST', 'INVALID_WINDOW', 'TOO_MANY_MAILBOXES', 'WINDOW_TOO_LARGE']);

/** Default: today in UTC. */
function windowOf({ from, to }: LookupOptions): Interval | undefined {
  const start = from === undefined ? floorTo(Date.now(), DAY_MS) : parseIsoTime(from);
  const end = to === undefined ? (start ?? 0) + DAY_MS : parseIsoTime(to);
  return start === undefined || end === undefined ? undefined : { start, end };
}

/** Without `--as` the administrator asks: every system, every busy type. */
function requesterFor(config: Config, name: string | undefined): Requester | undefined {
  if (name === undefined) return { name: 'administrator', from: 'outside', mayAsk: 'all', detail: 'busy-type', anonymous: false, presence: 'read' };
  return clientNamed(config, name);
}

function describe(result: ResultBody): readonly string[] {
  if ('error' in result) return [`${result.mailbox}: no data (${result.error.code}: ${result.error.message})`];
  const age = result.stale ? ` (as of ${result.asOf}; it does not answer now)` : '';
  const stretches = result.busy.map((one) => `  ${minute(one.start)} – ${minute(one.end)}  ${one.type}${one.subject === undefined ? '' : `  ${one.subject}`}`);
  return [`${result.mailbox}${age}:${stretches.length === 0 ? ' free' : ' free but for'}`, ...stretches];
}

function minute(iso: string): string {
  return iso.endsWith(':00.000Z') ? `${iso.slice(0, 10)} ${iso.slice(11, 16)}Z` : iso;
}
