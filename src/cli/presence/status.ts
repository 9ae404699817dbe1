import type { Instant } from '../../core/clock.ts';
import { PRESENCE_STATES } from '../../presence/presence.ts';
import type { OptInState, PresenceStatus } from '../../presence/presence-service.ts';
import { encodeFollowed, encodePresenceStatus } from '../../protocols/rest-api/admin-presence.ts';
import { columns } from '../columns.ts';
import { durationInWords } from '../duration-words.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { shown } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import type { ReachPresence } from './presence-access.ts';
import { withPresence } from './with-presence.ts';

export interface PresenceShowOptions {
  readonly config: string;
  readonly json?: true;
}

/** `presence status`: how many are shown as what, how it stands with each gateway and publisher, what has still to move. */
export async function showPresenceStatus(options: PresenceShowOptions, terminal: Terminal, reach: ReachPresence): Promise<ExitCode> {
  return withPresence(reach, options.config, terminal, async (presence) => {
    const status = await presence.status();
    const optedIn = status?.optedIn ?? (await presence.optIns()).filter(({ isOptedIn }) => isOptedIn).length;
    if (options.json === true) terminal.print(JSON.stringify(status === undefined ? { isRunning: false, optedIn } : encodePresenceStatus(status), undefined, 2));
    else if (status !== undefined) for (const line of statusLines(status, Date.now())) terminal.print(line);
    else {
      terminal.print(`${optedIn} opted in`);
      terminal.complain('no bridge runs with this configuration: nobody is shown');
    }
    return EXIT.done;
  });
}

/** `presence list`: everybody who is shown, as what, through which gateway; without a running bridge everybody about whom something was said. */
export async function listPresence(options: PresenceShowOptions, terminal: Terminal, reach: ReachPresence): Promise<ExitCode> {
  return withPresence(reach, options.config, terminal, async (presence) => {
    const [followed, optIns] = [await presence.followed(), await presence.optIns()];
    const said = new Map(optIns.map((one) => [one.mailbox, one]));
    if (options.json === true) {
      const mailboxes = followed === undefined ? optIns.map(encodeOptInState) : followed.map((one) => ({ ...(encodeFollowed(one) as object), optIn: encodeOptInState(said.get(one.mailbox)) }));
      terminal.print(JSON.stringify({ mailboxes }, undefined, 2));
    } else if (followed === undefined) {
      for (const line of columns(optIns.map((one) => [one.mailbox, one.isOptedIn ? 'on' : 'off', ...whoSaid(one)].map(shown)))) terminal.print(line);
      terminal.complain('no bridge runs with this configuration: nobody is shown');
    } else {
      const rows = followed.map(({ mailbox, shown: { state, until, reason }, through, mode, trouble }) => [
        mailbox, state, until === null ? '' : `until ${new Date(until).toISOString()}`, reason === 'calendar' ? '' : `by ${reason}`, through ?? 'no system', mode, ...whoSaid(said.get(mailbox)), trouble ?? '',
      ]);
      for (const line of columns(rows.map((row) => row.map(shown)))) terminal.print(line);
    }
    return EXIT.done;
  });
}

function whoSaid(one: OptInState | undefined): readonly string[] {
  return [one?.by === undefined ? '' : `switched by ${one.by}`, one?.at === undefined ? '' : new Date(one.at).toISOString(), one?.language ?? ''];
}

function encodeOptInState(one: OptInState | undefined): unknown {
  if (one === undefined) return null;
  const { mailbox: address, isOptedIn: optIn, by, at, language } = one;
  return { address, optIn, by: by ?? null, at: at === undefined ? null : new Date(at).toISOString(), language: language ?? null };
}

/** As people read it. */
export function statusLines(status: PresenceStatus, now: Instant): readonly string[] {
  const ago = (at: Instant | undefined): string => (at === undefined ? 'never' : `${durationInWords(Math.max(0, now - at))} ago`);
  const states = PRESENCE_STATES.flatMap((state) => (status.states[state] === 0 ? [] : [`${status.states[state]} ${state}`]));
  const gateways = status.gateways.map(({ description, label, mailboxes, watch }) => {
    const modes = (['live', 'hinted', 'polled', 'starting', 'moving'] as const).flatMap((mode) => (watch[mode] === 0 ? [] : [`${watch[mode]} ${mode}`]));
    return [`gateway ${description}`, label, `${mailboxes} ${mailboxes === 1 ? 'mailbox' : 'mailboxes'}`, watch.method, modes.join(', '), `heard ${ago(watch.heardAt)}`, watch.trouble === undefined ? '' : `trouble: ${watch.trouble}`];
  });
  const publishers = status.publishers.map(({ label, waiting, failing, publishedAt, trouble }) => [`publisher ${label}`, `${waiting} waiting`, `${failing} failing`, `published ${ago(publishedAt)}`, trouble === undefined ? '' : `trouble: ${trouble}`]);
  const { lagMs } = status;
  return [
    `${status.optedIn} opted in${states.length === 0 ? '' : `: ${states.join(', ')}`}`,
    ...(status.idle === undefined ? [] : [`idle: ${status.idle}`]),
    ...columns(gateways.map((row) => row.map(shown))),
    ...columns(publishers.map((row) => row.map(shown))),
    `calendar spread ${status.calendarSpread} s, ${status.readsWaiting} ${status.readsWaiting === 1 ? 'calendar waits' : 'calendars wait'} to be read`,
    ...(lagMs === undefined ? [] : [`shown behind the planned instant, last hour: p50 ${Math.round(lagMs.p50)} ms, p99 ${Math.round(lagMs.p99)} ms, at most ${Math.round(lagMs.max)} ms`]),
    `configuration applied ${ago(status.appliedAt)}${status.pending.length === 0 ? ', nothing is pending' : ''}`,
    ...status.pending.map((line) => `pending: ${shown(line)}`),
  ];
}
