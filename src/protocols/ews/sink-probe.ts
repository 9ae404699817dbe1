import type { Clock } from '../../core/clock.ts';
import { HOUR_MS } from '../../core/clock.ts';
import { BridgeError, toBridgeError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errors.ts';
import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { clockFinding } from '../../freebusy/clock-finding.ts';
import { freeBusyFrom } from '../../freebusy/free-busy.ts';
import type { BusyInterval } from '../../freebusy/free-busy.ts';
import type { Addressee } from '../../freebusy/sink.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { encodeFreeBusyMessage } from '../schedule-plus/encode-free-busy-message.ts';
import type { EncodedMessage } from '../schedule-plus/encode-free-busy-message.ts';
import { CHECK_NAME, checkIdentityBeside } from '../schedule-plus/check-identity.ts';
import { locateMessage } from '../schedule-plus/legacy-exchange-dn.ts';
import type { MessageLocation } from '../schedule-plus/legacy-exchange-dn.ts';
import { PROPERTY } from '../schedule-plus/properties.ts';
import type { SoapEnvelope } from '../soap/envelope.ts';
import type { Exchange } from './connection.ts';
import { decodeFindFolder, encodeFindFolder } from './find-folder.ts';
import type { EwsId } from './folder-id.ts';
import { decodeGetFolderParent, encodeGetPublicFoldersRoot } from './get-folder.ts';
import { decodeGetItem, encodeGetItem } from './get-item.ts';
import type { EwsOperation } from './names.ts';
import { cannotAsk, described, noting, version } from './probe.ts';
import type { Seen } from './probe.ts';
import { SCHEDULE_PLUS_PATH } from './public-folder.ts';
import type { EwsCall } from './public-folder.ts';
import { decodeResolveNames, encodeResolveNames } from './resolve-names.ts';
import { decodeServerVersion, refuseModern } from './server-version.ts';
import { writeError } from './write-error.ts';
import { deleteMessages, findMessages, writeMessage } from './write-message.ts';

export interface SinkProbe {
  call(operation: EwsOperation, body: XmlNode, watch: Pick<Exchange, 'dated' | 'inspect'>): Promise<SoapEnvelope>;
  /** The sink's. */
  identityOf(addressee: Addressee): string;
  /** Gives somebody who is replicated; undefined: nobody's message is looked at. */
  readonly probeAddressee: (() => Promise<Addressee | undefined>) | undefined;
  /** Where a made-up mailbox lives, so that the template names a folder. */
  readonly probeDomain: string;
  readonly clock: Clock;
}

/**
 * Finds the way to the free/busy folder of the template and writes there, really: a message of nobody is created, replaced and deleted, because
 * what EffectiveRights promises is the store's cache of yesterday. Never throws.
 */
export async function probeSink(probe: SinkProbe): Promise<readonly ProbeFinding[]> {
  const seen: Seen = {};
  const findings: ProbeFinding[] = [];
  const addressee = await addresseeOf(probe, findings);
  const mailbox = addressee?.mailbox ?? (`${CHECK_NAME}@${probe.probeDomain}` as MailboxAddress);
  const note = noting(seen);
  const call: EwsCall = async (operation, body) => {
    const inspect = (envelope: SoapEnvelope): void => {
      note.inspect?.(envelope);
      refuseModern(envelope);
    };
    return (await probe.call(operation, body, { ...note, inspect })).body;
  };
  let step = 'template';
  let location: MessageLocation = { folder: '', subject: '' };
  try {
    const identity = probe.identityOf(addressee ?? { mailbox });
    location = locateMessage(identity);
    step = 'public folders';
    let folder: EwsId = decodeGetFolderParent(await call('GetFolder', encodeGetPublicFoldersRoot()));
    findings.push({ step: 'sign-in', outcome: 'ok', text: 'the account is let in' }, ...version(seen.header));
    for (const name of [...SCHEDULE_PLUS_PATH, location.folder]) {
      step = 'folder';
      const found = decodeFindFolder(await call('FindFolder', encodeFindFolder(folder, name)), name);
      if (found === undefined) throw new BridgeError('NO_DATA', 'the folder is missing', { details: { folder: name } });
      folder = found;
    }
    findings.push({ step, outcome: 'ok', text: `${location.folder} is there${forWhom(addressee)}` });
    step = 'right to write';
    await tryWriting(call, folder, checkMessages(checkIdentityBeside(identity), probe.clock.now()));
    findings.push({ step, outcome: 'ok', text: 'a message of nobody was created, replaced and deleted' });
    step = 'other writers';
    if (addressee !== undefined) {
      findings.push(await otherWriters(call, folder, location, mailbox));
      findings.push(...(await directory(call, identity, mailbox)));
    }
  } catch (thrown) {
    const failed = failure(step, toBridgeError(thrown), location, seen);
    findings.push(NAMING_SOMEBODY.has(failed.step) ? { ...failed, text: `${failed.text}${forWhom(addressee)}` } : failed);
  }
  return [...findings, ...clockFinding(seen.date, probe.clock.now())];
}

/** What depends on who was named. */
const NAMING_SOMEBODY: ReadonlySet<string> = new Set(['template', 'folder']);

function forWhom(addressee: Addressee | undefined): string {
  return addressee === undefined ? '' : `, for ${addressee.mailbox}`;
}

async function addresseeOf({ probeAddressee }: SinkProbe, findings: ProbeFinding[]): Promise<Addressee | undefined> {
  try {
    return await probeAddressee?.();
  } catch (thrown) {
    const advice = 'name a mailbox that is replicated; what needs one was not looked at';
    findings.push({ step: 'mailbox', outcome: 'warn', text: described(toBridgeError(thrown)), advice });
    return undefined;
  }
}

/** One with every property that we ever write, and one that takes three pairs of them back. */
function checkMessages(identity: string, now: number): readonly [EncodedMessage, EncodedMessage] {
  const window = { start: now, end: now + 4 * HOUR_MS };
  const hours = (['busy', 'tentative', 'oof'] as const).map(
    (busyType, index): BusyInterval => ({ start: now + index * HOUR_MS, end: now + (index + 1) * HOUR_MS, busyType }),
  );
  const message = (busy: readonly BusyInterval[]): EncodedMessage =>
    encodeFreeBusyMessage(identity, freeBusyFrom(`${CHECK_NAME}@invalid` as MailboxAddress, window, { busy }), now);
  return [message(hours), message(hours.filter((one) => one.busyType === 'tentative'))];
}

async function tryWriting(call: EwsCall, folder: EwsId, [first, second]: readonly [EncodedMessage, EncodedMessage]): Promise<void> {
  // What an earlier check could not take back.
  await deleteMessages(call, await findMessages(call, folder, first.subject));
  await writeMessage(call, folder, [], first);
  const created = await findMessages(call, folder, first.subject);
  if (created.length === 0) throw new BridgeError('BACKEND_FAULT', 'a message was saved and cannot be found');
  try {
    await writeMessage(call, folder, created, second);
  } finally {
    await deleteMessages(call, await findMessages(call, folder, first.subject));
  }
}

/** Zimbra's own provider writes no range timestamp (zimbra-measured.md §5), and we always do. */
async function otherWriters(call: EwsCall, folder: EwsId, { subject }: MessageLocation, mailbox: MailboxAddress): Promise<ProbeFinding> {
  const step = 'other writers';
  const found = await findMessages(call, folder, subject);
  const [first, ...others] = found;
  if (first === undefined) return { step, outcome: 'ok', text: `${mailbox} has no message yet` };
  if (others.length > 0) {
    const text = `${mailbox} has ${found.length} messages`;
    return { step, outcome: 'warn', text, advice: 'see that nobody else writes them; the next publication leaves one' };
  }
  const [item] = decodeGetItem(await call('GetItem', encodeGetItem([first.id])), 1);
  if (item === undefined || 'error' in item) throw item?.error ?? new BridgeError('BACKEND_MALFORMED', 'the answer holds no message');
  if (item.properties.has(PROPERTY.rangeTimestamp)) return { step, outcome: 'ok', text: `the message of ${mailbox} says when it was published` };
  return {
    step,
    outcome: 'warn',
    text: `the message of ${mailbox} is Zimbra's own: it does not say when it was published`,
    advice: "switch off Zimbra's own free/busy provider (zimbraFreebusyExchangeURL), or both overwrite each other",
  };
}

/** Whether the message can be found by anybody: Exchange looks for it by the legacyExchangeDN of a contact. Nothing where the server will not say. */
async function directory(call: EwsCall, identity: string, mailbox: MailboxAddress): Promise<readonly ProbeFinding[]> {
  const step = 'directory';
  const knows = async (entry: string): Promise<boolean> => decodeResolveNames(await call('ResolveNames', encodeResolveNames(entry)));
  try {
    if (!(await knows(mailbox))) {
      return [{ step, outcome: 'warn', text: `Exchange does not know ${mailbox}`, advice: `make a mail contact: New-MailContact -ExternalEmailAddress ${mailbox}` }];
    }
    if (await knows(identity)) return [{ step, outcome: 'ok', text: `Exchange knows ${mailbox} and its legacyExchangeDN` }];
  } catch (error) {
    if (error instanceof BridgeError && error.details['responseCode'] !== undefined) return [];
    throw error;
  }
  const advice = 'compare legacyExchangeDn with what Get-MailContact | fl LegacyExchangeDN says, or set zimbraForeignPrincipal';
  return [{ step, outcome: 'warn', text: `Exchange knows ${mailbox}, but nobody as ${identity}`, advice }];
}

function failure(step: string, thrown: BridgeError, location: MessageLocation, seen: Seen): ProbeFinding {
  if (thrown.code === 'UNSUPPORTED') {
    const known = decodeServerVersion(seen.header);
    return { step: 'version', outcome: 'fail', text: known === undefined ? 'too new' : `${known.build}, as ${known.generation}`, advice: thrown.publicMessage };
  }
  const error = writeError(thrown, location);
  const isOwnWord = error.details['responseCode'] !== undefined || error.code === 'NO_DATA' || step === 'template';
  const advice = ADVICE[step] ?? error.details['hint'] ?? 'look into the log of the server for the code';
  const unreachable = isOwnWord ? undefined : cannotAsk(error);
  if (unreachable === undefined) return { step, outcome: 'fail', text: described(error), advice: String(advice) };
  const { hint } = error.details;
  return { ...unreachable, ...(NO_CONNECTION.has(error.code) ? { step: 'connection' } : {}), ...(typeof hint === 'string' ? { advice: hint } : {}) };
}

/** Nothing was asked at all. */
const NO_CONNECTION: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['BACKEND_UNREACHABLE', 'BACKEND_TLS', 'BACKEND_REDIRECT', 'DEADLINE']);

const ADVICE: Readonly<Record<string, string>> = {
  template: 'correct legacyExchangeDn: /o=…/ou=…/cn=Recipients/cn={localPart}, as Get-MailContact shows it',
  'public folders': 'see that the organisation has public folders (Get-PublicFolderDatabase) and that the account has a mailbox on this Exchange',
};
