import { toBridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { pause } from '../core/pause.ts';
import { within } from '../core/within.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { PresenceState, ShownPresence } from './presence.ts';
import type { PresencePublisher } from './publisher.ts';

export interface CanaryOptions {
  /** Somebody who is used for nothing else. */
  readonly mailbox: MailboxAddress;
  readonly textFor: (state: PresenceState) => string;
  readonly language: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** How long a watcher may take to see it; for tests. */
  readonly waitMs?: number;
}

/**
 * Shows somebody as being in a meeting, looks whether a watcher on the server itself sees it, then the same with available, and takes all of it away again, whatever came of it.
 * Never throws; every step is a finding.
 */
export async function tryCanary(publisher: PresencePublisher, options: CanaryOptions): Promise<readonly ProbeFinding[]> {
  const findings: ProbeFinding[] = [];
  try {
    for (const state of ['in-a-meeting', 'available'] as const) {
      const finding = await showAndLook(publisher, state, options);
      findings.push(finding);
      // The next step would say the same once more.
      if (finding.outcome === 'fail') break;
    }
  } finally {
    findings.push(await takeAway(publisher, options));
  }
  return findings;
}

async function showAndLook(publisher: PresencePublisher, state: PresenceState, { mailbox, textFor, language, now, signal, waitMs = LIMITS.canaryMs }: CanaryOptions): Promise<ProbeFinding> {
  const step = `canary ${state}`;
  const began = now();
  const shown: ShownPresence = { state, until: null, reason: 'calendar', since: began, next: null, text: textFor(state), language };
  try {
    await publisher.publish(mailbox, shown, signal);
  } catch (thrown) {
    const { code, publicMessage } = toBridgeError(thrown);
    return { step, outcome: 'fail', text: `${mailbox} cannot be published: ${publicMessage} (${code})`, advice: 'what is wrong with the server or its account stands in the lines above' };
  }
  let seen: PresenceState | undefined;
  let isLate = false;
  try {
    const found = await within(waitMs, signal, async (until): Promise<ProbeFinding | undefined> => {
      until.addEventListener('abort', () => (isLate = true), { once: true });
      while (!until.aborted) {
        seen = await publisher.observe(mailbox, until);
        if (seen === state) return { step, outcome: 'ok', text: `a watcher sees it after ${Math.max(0, now() - began)} ms` };
        await pause(LIMITS.canaryLooksMs, until);
      }
      return undefined;
    });
    if (found !== undefined) return found;
  } catch (thrown) {
    const { code, publicMessage } = toBridgeError(thrown);
    if (code === 'UNSUPPORTED') return { step, outcome: 'warn', text: 'it was accepted; what a watcher sees cannot be asked on this server', advice: `look at ${mailbox} with an ordinary client` };
    if (!isLate) return { step, outcome: 'fail', text: `what a watcher sees cannot be asked: ${publicMessage} (${code})`, advice: 'let the bridge watch the canary mailbox on that server' };
  }
  return { step, outcome: 'fail', text: `it was accepted, but a watcher sees ${seen ?? 'nothing'}`, advice: 'let the server show what the bridge publishes to those who watch: its rules for presence, and whether the canary mailbox is a user there' };
}

async function takeAway(publisher: PresencePublisher, { mailbox, signal, waitMs = LIMITS.canaryMs }: CanaryOptions): Promise<ProbeFinding> {
  const step = 'canary taken away';
  try {
    // Even where the time for the rest is over.
    await publisher.withdraw(mailbox, signal.aborted ? AbortSignal.timeout(waitMs) : signal);
    return { step, outcome: 'ok', text: 'nothing of it is left' };
  } catch (thrown) {
    const { code, publicMessage } = toBridgeError(thrown);
    return { step, outcome: 'fail', text: `it cannot be withdrawn: ${publicMessage} (${code})`, advice: `${mailbox} may look busy there until that ends by itself` };
  }
}
