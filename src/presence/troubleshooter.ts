import { toBridgeError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import { tryCanary } from './canary.ts';
import type { CalendarGateway } from './gateway.ts';
import type { PresenceState } from './presence.ts';
import type { PresencePublisher } from './publisher.ts';
import { presenceContext } from './the-bridge.ts';

/** What was found in one gateway or publisher. */
export interface CheckedPart {
  readonly kind: 'gateway' | 'publisher';
  readonly name: string;
  readonly findings: readonly ProbeFinding[];
}

/** Everything that `presence check` tries; nothing of it needs a running bridge. */
export interface PresenceToCheck {
  /** All of them, with the address of its server and somebody whose calendar the right to read is tried on. */
  readonly gateways: readonly { readonly gateway: CalendarGateway; /** Absent where Autodiscover says it. */ readonly url?: URL | undefined; readonly sample: MailboxAddress | undefined }[];
  readonly publishers: readonly PresencePublisher[];
  /** The way to a gateway's server and its certificate: for each address, with the gateway's own authorities and rules for names (presence.md A11–A18). */
  readonly probeCertificate: (url: URL, description: string) => Promise<readonly ProbeFinding[]>;
  /** Of `presence.canary`. */
  readonly canary: MailboxAddress | undefined;
  readonly textFor: (state: PresenceState) => string;
  readonly language: string;
  close(): Promise<void>;
}

/** All of them, LIMITS.presenceChecks at a time, in the configuration's order; gateways first. */
export async function checkPresenceParts(found: PresenceToCheck, withCanary: boolean): Promise<readonly CheckedPart[]> {
  const gateways = found.gateways.map((one) => async (): Promise<CheckedPart> => {
    const { gateway, url, sample } = one;
    const findings = await inTime(async (signal) => {
      const network = url === undefined ? [] : await found.probeCertificate(url, gateway.description);
      // Where nobody is reached, nobody is signed in to.
      if (network.some(({ outcome }) => outcome === 'fail')) return network;
      return [...network, ...(await gateway.probe(sample, presenceContext(Date.now() + LIMITS.presenceCheckMs, signal)))];
    });
    return { kind: 'gateway', name: gateway.description, findings };
  });
  const publishers = found.publishers.map((publisher) => async (): Promise<CheckedPart> => {
    const findings = await inTime(async (signal) => publisher.probe(signal));
    const isReached = findings.every(({ outcome }) => outcome !== 'fail');
    return { kind: 'publisher', name: publisher.label, findings: withCanary && isReached ? [...findings, ...(await canary(publisher, found))] : findings };
  });
  return severalAtOnce([...gateways, ...publishers], LIMITS.presenceChecks);
}

async function canary(publisher: PresencePublisher, { canary: mailbox, textFor, language }: PresenceToCheck): Promise<readonly ProbeFinding[]> {
  if (mailbox === undefined) return [];
  publisher.start(() => undefined);
  try {
    return await inTime(async (signal) => tryCanary(publisher, { mailbox, textFor, language, now: () => Date.now(), signal }));
  } finally {
    await publisher.close();
  }
}

/** What has no end, or throws, is a finding of its own: the others are tried all the same. */
async function inTime(work: (signal: AbortSignal) => Promise<readonly ProbeFinding[]>): Promise<readonly ProbeFinding[]> {
  const end = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly ProbeFinding[]>((resolve) => {
    timer = setTimeout(() => {
      end.abort();
      resolve([{ step: 'time', outcome: 'fail', text: `there is no answer after ${LIMITS.presenceCheckMs / 1000} s`, advice: 'look at what is between the bridge and the server' }]);
    }, LIMITS.presenceCheckMs);
  });
  try {
    return await Promise.race([work(end.signal), late]);
  } catch (thrown) {
    const { code, publicMessage } = toBridgeError(thrown);
    return [{ step: 'check', outcome: 'fail', text: `${publicMessage} (${code})`, advice: 'the log of the bridge may say more' }];
  } finally {
    clearTimeout(timer);
  }
}

async function severalAtOnce<T>(works: readonly (() => Promise<T>)[], most: number): Promise<readonly T[]> {
  const results = new Array<T>(works.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < works.length; at = next++) results[at] = await works[at]!();
  };
  await Promise.all(Array.from({ length: Math.min(most, works.length) }, worker));
  return results;
}
