import { LIMITS } from '../core/limits.ts';
import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { ZimbraFault } from './zimbra-fault.ts';

/** What an AdminWaitSetRequest asks. */
export interface Poll {
  readonly id: string;
  readonly seq: string;
  /** undefined where the request has none; needed to bring a set back to life after a restart. */
  readonly defTypes: string | undefined;
  /** How long to wait for something; 0: not at all. */
  readonly waitMs: number;
  readonly gone: AbortSignal;
}

/** What it is answered; `canceled` comes alone. */
export type PollAnswer = { readonly kind: 'canceled' } | { readonly kind: 'answer'; readonly seq: string; readonly accounts: readonly { readonly id: string; readonly changeId: number }[] };

/** WaitSets over all accounts, as zimbra.md §5.2 describes them. */
export interface WaitSets {
  /** An account's calendar has changed. */
  changed(accountId: string): void;
  /** `isForAll` false: a set of selected accounts, which this stand-in never puts any into. @throws ZimbraFault service.INVALID_REQUEST */
  create(defTypes: string, isForAll: boolean): { readonly id: string; readonly seq: string };
  /** @throws ZimbraFault admin.NO_SUCH_WAITSET, service.FAILURE when what was missed cannot be replayed */
  poll(poll: Poll): Promise<PollAnswer>;
  /** @throws ZimbraFault admin.NO_SUCH_WAITSET */
  destroy(id: string): void;
  /** The server starts again: sets are forgotten, the redo log stays, unless it has been rotated away. */
  restart(isLogRotated: boolean): void;
}

interface WaitSet {
  readonly types: string;
  readonly isForAll: boolean;
  /** The last commit that the client has surely heard of. */
  acknowledged: number;
  /** What was answered last: the client acknowledges it by sending this seq. */
  sent: { readonly seq: string; readonly commit: number };
  /** Of the request that waits. */
  cancel: (() => void) | undefined;
}

const TYPES = ['f', 'm', 'c', 'a', 't', 'd', 'all'];

export function createWaitSets(clock: Clock): WaitSets {
  const sets = new Map<string, WaitSet>();
  const commits: { readonly commit: number; readonly accountId: string }[] = [];
  const waiting = new Set<() => void>();
  let commit = 0;
  let oldest = 0;

  const seqOf = (at: number): string => `${at}-${clock.now()}-${Math.floor(clock.now() / 1_000)}.${at}`;
  const news = (set: WaitSet): Extract<PollAnswer, { kind: 'answer' }> => {
    const isWatching = set.isForAll && /\b(?:a|all)\b/.test(set.types);
    const accounts = new Map<string, number>();
    if (isWatching) {
      for (let index = commits.length - 1; index >= 0 && commits[index]!.commit > set.acknowledged; index--) {
        const { accountId, commit: changeId } = commits[index]!;
        if (!accounts.has(accountId)) accounts.set(accountId, changeId);
      }
    }
    if (accounts.size > 0 && commit > set.sent.commit) set.sent = { seq: seqOf(commit), commit };
    return { kind: 'answer', seq: set.sent.seq, accounts: [...accounts].reverse().map(([id, changeId]) => ({ id, changeId })) };
  };
  /** Brings a set over all accounts back by replaying the log, as after a restart. */
  const revive = (id: string, seq: string, defTypes: string | undefined): WaitSet => {
    if (!id.startsWith('AllWaitSet-')) throw new ZimbraFault('admin.NO_SUCH_WAITSET', `no such waitset: ${id}`);
    if (defTypes === undefined) throw new ZimbraFault('service.INVALID_REQUEST', 'invalid request: Must specify default interests when creating an all-accounts WaitSet');
    const from = /^(\d{1,15})-\d+-\d+\.\d+$/.exec(seq)?.[1];
    if (from === undefined || Number(from) < oldest || Number(from) > commit) throw new ZimbraFault('service.FAILURE', `system failure: Unable to sync to commit id ${seq}`);
    return { types: checkedTypes(defTypes), isForAll: true, acknowledged: Number(from), sent: { seq, commit: Number(from) }, cancel: undefined };
  };

  return {
    changed(accountId) {
      commits.push({ commit: ++commit, accountId });
      if (commits.length > LIMITS.standInCommits) oldest = commits.shift()!.commit;
      for (const wake of [...waiting]) wake();
    },
    create(defTypes, isForAll) {
      const id = `${isForAll ? 'AllWaitSet' : 'WaitSet'}-${randomUUID()}`;
      sets.set(id, { types: checkedTypes(defTypes), isForAll, acknowledged: commit, sent: { seq: '0', commit }, cancel: undefined });
      return { id, seq: '0' };
    },
    async poll({ id, seq, defTypes, waitMs, gone }) {
      const set = sets.get(id) ?? revive(id, seq, defTypes);
      sets.set(id, set);
      // Only the newest seq says that its batch has arrived; with an older one the same comes again.
      if (seq === set.sent.seq) set.acknowledged = set.sent.commit;
      set.cancel?.();
      const found = news(set);
      if (found.accounts.length > 0 || waitMs === 0) return found;
      return new Promise<PollAnswer>((resolve) => {
        const finish = (result: PollAnswer): void => {
          clearTimeout(timer);
          waiting.delete(look);
          gone.removeEventListener('abort', cancel);
          if (set.cancel === cancel) set.cancel = undefined;
          resolve(result);
        };
        const cancel = (): void => finish({ kind: 'canceled' });
        const look = (): void => {
          const heard = news(set);
          if (heard.accounts.length > 0) finish(heard);
        };
        const timer = setTimeout(() => finish(news(set)), waitMs);
        set.cancel = cancel;
        waiting.add(look);
        if (gone.aborted) cancel();
        else gone.addEventListener('abort', cancel);
      });
    },
    destroy(id) {
      const set = sets.get(id);
      if (set === undefined) throw new ZimbraFault('admin.NO_SUCH_WAITSET', `no such waitset: ${id}`);
      set.cancel?.();
      sets.delete(id);
    },
    restart(isLogRotated) {
      for (const set of sets.values()) set.cancel?.();
      sets.clear();
      if (!isLogRotated) return;
      commits.length = 0;
      oldest = ++commit;
    },
  };
}

function checkedTypes(types: string): string {
  const wrong = types.split(',').find((one) => !TYPES.includes(one.trim()));
  if (wrong !== undefined) throw new ZimbraFault('service.INVALID_REQUEST', `invalid request: Unknown interest type: ${wrong}`);
  return types;
}
