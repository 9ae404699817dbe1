import type { BridgeError } from '../core/errors.ts';
import type { PushOutcome } from '../replication/report.ts';
import { describeDocument } from './decode/decode.ts';
import { intervalJson } from './decode/json.ts';
import { windowInWords } from './decode/utc-words.ts';
import { encodeError } from './over-socket/error.ts';
import type { Pushed } from './push-one.ts';
import { shown } from './terminal.ts';

/** Why there is no outcome. */
const NOWHERE = 'is replicated nowhere: no system has this mailbox, or none is replicated from it';

/** What came of a mailbox, a line a route; of a dry run also where and what, as `decode` prints it. */
export async function pushedInWords({ mailbox, outcomes, error }: Pushed): Promise<readonly string[]> {
  if (error !== undefined) return [`${mailbox}  failed: ${errorInWords(error)}`];
  if (outcomes.length === 0) return [`${mailbox}  ${NOWHERE}`];
  const lines: string[] = [];
  for (const one of outcomes) {
    lines.push(`${mailbox}  ${shown(one.route)}  ${outcomeInWords(one)}`);
    if (one.outcome === 'would-write') lines.push(`    where: ${shown(one.preview.where)}`, ...(await describeDocument(one.preview.document)).map((line) => `    ${line}`));
    if (one.outcome === 'would-remove') lines.push(`    where: ${shown(one.where)}`);
  }
  return lines;
}

function outcomeInWords(one: PushOutcome): string {
  switch (one.outcome) {
    case 'written':
      return `written ${windowInWords(one.window)}`;
    case 'would-write':
      return `would be written ${windowInWords(one.window)}`;
    case 'unchanged':
      return 'unchanged';
    case 'removed':
      return `no data, so no message there now: ${shown(one.reason)}`;
    case 'would-remove':
      return `no data, so its message would be removed: ${shown(one.reason)}`;
    case 'skipped':
      return `skipped: ${shown(one.reason)}`;
    case 'failed':
      return `failed: ${errorInWords(one.error)}`;
  }
}

/** `BACKEND_AUTH: the calendar system refused the bridge's credentials → check the password` */
export function errorInWords({ code, publicMessage, details }: BridgeError): string {
  const { hint, ...others } = details;
  const more = Object.entries(others).map(([name, value]) => `${name} ${value}`);
  return shown(`${code}: ${publicMessage}${more.length === 0 ? '' : ` (${more.join(', ')})`}${hint === undefined ? '' : ` → ${hint}`}`);
}

/** For `--json`: the outcomes as objects, times ISO 8601; a mailbox without a route has `route: null`. */
export function pushedJson({ mailbox, outcomes, error }: Pushed): readonly unknown[] {
  if (error !== undefined) return [{ mailbox, route: null, outcome: 'failed', error: encodeError(error) }];
  if (outcomes.length === 0) return [{ mailbox, route: null, outcome: 'skipped', reason: NOWHERE }];
  return outcomes.map((one) => {
    if (one.outcome === 'failed') return { ...one, error: encodeError(one.error) };
    return 'window' in one ? { ...one, window: intervalJson(one.window) } : one;
  });
}
