import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { PrivacyService } from '../../freebusy/privacy.ts';
import { switchPrivacy } from '../../protocols/rest-api/admin-privacy.ts';
import { decodeMailbox } from '../over-socket/push-outcome.ts';
import { isRecord, readEach } from '../over-socket/record.ts';
import type { JsonRecord } from '../over-socket/record.ts';
import { actorOf } from '../presence/presence-control.ts';

type RunCommand = (privacy: PrivacyService, body: JsonRecord) => Promise<unknown>;

/** What a bridge answers to `privacy …` over its control socket, by command. */
const OF_PRIVACY: Readonly<Record<string, RunCommand>> = {
  /** `{offset}` → `{mailboxes, more}` */
  'privacy/list': async (privacy, { offset }) => {
    const from = typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0 ? offset : malformed();
    const all = privacy.all();
    return { mailboxes: all.slice(from, from + LIMITS.presencePage), more: all.length > from + LIMITS.presencePage };
  },
  /** `{mailboxes, isOptedOut, by}` → `{outcomes}` */
  'privacy/switch': async (privacy, { mailboxes, isOptedOut, by }) => {
    const named = readEach(mailboxes, decodeMailbox);
    if (named === undefined || named.length > LIMITS.privacySwitches || typeof isOptedOut !== 'boolean') return malformed();
    return { outcomes: await switchPrivacy(privacy, named, isOptedOut, actorOf(by)) };
  },
};

export function isPrivacyCommand(name: string): boolean {
  return Object.hasOwn(OF_PRIVACY, name);
}

/** Runs one of them. @throws BridgeError INVALID_REQUEST where it cannot be read */
export async function runPrivacyCommand(name: string, privacy: PrivacyService, body: unknown): Promise<unknown> {
  return OF_PRIVACY[name]!(privacy, isRecord(body) ? body : {});
}

function malformed(): never {
  throw new BridgeError('INVALID_REQUEST', 'the command cannot be read');
}
