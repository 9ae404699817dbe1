import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import type { DirectoryChanges, Directory } from '../../../directory/directory.ts';
import type { DirectoryEntry } from '../../../directory/entry.ts';
import { ZIMBRA_ACCOUNT_NS } from '../names.ts';
import type { Allowance } from './allowance.ts';
import type { Answer, AnswerElement, AnswerPart } from './answer.ts';
import { firstOf } from './first-of.ts';
import { charactersOf, contactAttributes, contactElement, entryDn } from './gal-entry.ts';
import { galFor, requestedNumber, spendCharacters } from './gal-request.ts';
import { decodeGalToken, echoedToken, encodeGalToken } from './gal-token.ts';
import { flag, member } from './member.ts';
import type { Asking, FaceOperation } from './operation.ts';

/**
 * SyncGalRequest (zimbra.md §6.1; SyncGal.java, GalSearchControl.java): everybody, or who has changed since a token, in pages by id: `more` says that the token leads into the next one.
 * The gone come with the last page. A token that is not known begins anew: everybody again, with `fullSyncRecommended`, because whom the client has beyond them is gone.
 */
export const syncGal: FaceOperation = {
  name: 'SyncGalRequest',
  ns: ZIMBRA_ACCOUNT_NS,
  ready: (request) => {
    const token = member(request, 'token')?.trim() ?? '';
    const question = {
      token,
      limit: Math.min(requestedNumber(request, 'limit') || LIMITS.zimbraGalSyncEntries, LIMITS.zimbraGalSyncEntries),
      idOnly: flag(request, 'idOnly'),
      getCount: flag(request, 'getCount'),
    };
    return { users: [], run: async (asking) => asking.inTurn(() => answerChanges(question, asking)) };
  },
};

interface SyncQuestion {
  readonly token: string;
  readonly limit: number;
  readonly idOnly: boolean;
  readonly getCount: boolean;
}

async function answerChanges(question: SyncQuestion, asking: Asking): Promise<Answer> {
  const { directory, ctx: { requester }, allowance, mayReadAll } = asking;
  const gal = galFor(directory, requester);
  const { from, within } = decodeGalToken(question.token);
  const changes = gal.changes(from, requester);
  // As Zimbra: nothing has changed, and why it seems so.
  if (changes.isWhole && !mayReadAll()) return answer({ token: echoedToken(question.token), throttled: true });
  // The directory has forgotten where this list of changes began: the pages begin anew.
  const isLost = changes.isWhole && from !== undefined;
  const after = isLost ? undefined : within?.after;
  const pace = new Pace(LIMITS.zimbraGalEntriesPerTurn);
  const { first, total } = await firstOf(changes.entries, question.limit, ({ id }) => (after === undefined || id > after ? id : undefined), pace);
  const shown = await fitting(first, { question, gal, asking, allowance, pace });
  const more = shown.length < total;
  const to = (isLost ? undefined : within?.to) ?? changes.token;
  return answer(
    {
      more,
      token: more ? encodeGalToken({ from: isLost ? undefined : from, within: { to, after: shown.at(-1)!.id } }) : to,
      ...(isLost ? { fullSyncRecommended: true } : {}),
      ...(question.getCount ? { remain: total - shown.length } : {}),
    },
    partsOf(shown, more ? [] : changes.removed, (entry) => synced(entry, question, gal, asking)),
  );
}

function answer(attributes: NonNullable<Answer['attributes']>, parts: Iterable<AnswerPart> = []): Answer {
  return { name: 'SyncGalResponse', ns: ZIMBRA_ACCOUNT_NS, attributes, parts };
}

interface Fitting {
  readonly question: SyncQuestion;
  readonly gal: Directory;
  readonly asking: Asking;
  readonly allowance: Allowance;
  readonly pace: Pace;
}

/** As many of them, from the first, as the request may still say; at least one, or it is refused. */
async function fitting(entries: readonly DirectoryEntry[], { question, gal, asking, allowance, pace }: Fitting): Promise<readonly DirectoryEntry[]> {
  for (const [index, entry] of entries.entries()) {
    const pairs = synced(entry, question, gal, asking).pairs ?? [];
    const characters = charactersOf(pairs) + entry.id.length;
    if (index > 0 && characters > allowance.galCharacters) return entries.slice(0, index);
    spendCharacters(allowance, characters);
    if (pace.spend(1 + pairs.length / 20)) await pace.turn();
  }
  return entries;
}

/** An entry with the members of a group (GalSearchControl.java fetches them for SyncGal alone). */
function synced(entry: DirectoryEntry, { idOnly }: SyncQuestion, gal: Directory, { ctx: { requester } }: Asking): AnswerElement {
  if (idOnly) return contactElement(entry, []);
  const members = entry.kind === 'group' ? gal.membersOf(entry, requester) : [];
  const isTooLarge = members.length > LIMITS.zimbraGalMembers;
  return contactElement(entry, contactAttributes(entry, isTooLarge ? [] : members), isTooLarge ? { tooManyMembers: true } : {});
}

function* partsOf(entries: readonly DirectoryEntry[], removed: DirectoryChanges['removed'], toElement: (entry: DirectoryEntry) => AnswerElement): Iterable<AnswerPart> {
  for (const entry of entries) yield toElement(entry);
  for (const id of removed) yield { name: 'deleted', attributes: { id: entryDn(id) } };
}
