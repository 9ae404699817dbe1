import type { RequestContext, Requester } from '../../src/core/request-context.ts';

/** A client that may ask everything, and a context without haste. */
export const ASKER: Requester = { name: 'tester', from: 'outside', mayAsk: 'all', detail: 'details', anonymous: false, presence: 'read' };

export function context(changes: Partial<RequestContext> = {}): RequestContext {
  return { requestId: 'test', requester: ASKER, hops: 0, deadline: Date.now() + 10_000, signal: new AbortController().signal, ...changes };
}

/** A promise that the test settles. */
export function pending<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void; readonly reject: (error: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Lets everything run that waits for nothing but its turn. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
