import { toBridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import { tryCanary } from '../../presence/canary.ts';
import type { PresencePublisher } from '../../presence/publisher.ts';
import { describeByName, outcomeOf } from '../checked.ts';
import type { Checked } from '../checked.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { probeContext } from '../probe-context.ts';
import type { Terminal } from '../terminal.ts';
import type { PresenceToCheck, ReachPresenceCheck } from './presence-access.ts';

export interface PresenceCheckOptions {
  readonly config: string;
  readonly canary?: true;
  readonly json?: true;
  readonly verbose?: true;
}

/** `presence check [--canary]`: tries every gateway and publisher, one line each, beginning with its description; 1 when anything fails. Needs no running bridge. */
export async function checkPresence(options: PresenceCheckOptions, terminal: Terminal, reach: ReachPresenceCheck): Promise<ExitCode> {
  const found = await reach(options.config, terminal);
  if (typeof found === 'number') return found;
  try {
    if (options.canary === true && found.canary === undefined) {
      terminal.complain('presence.canary is missing: name somebody whom the check may show as being in a meeting for a moment');
      return EXIT.wrongUsage;
    }
    const checked = await checkEverything(found, options.canary === true);
    if (options.json === true) terminal.print(JSON.stringify(checked, undefined, 2));
    else {
      for (const one of checked) for (const line of describeByName(one, options.verbose === true)) terminal.print(line);
      if (found.gateways.length === 0) terminal.complain('there is no gateway under presence.gateways: no Exchange calendar gives presence');
      if (found.publishers.length === 0) terminal.complain('there is no publisher under presence.publishers: presence is given by the API only');
    }
    return checked.some((one) => outcomeOf(one) === 'fail') ? EXIT.failed : EXIT.done;
  } finally {
    await found.close();
  }
}

/** All of them, LIMITS.presenceChecks at a time, in the configuration's order; gateways first. */
export async function checkEverything(found: PresenceToCheck, withCanary: boolean): Promise<readonly Checked[]> {
  const gateways = found.gateways.map((one) => async (): Promise<Checked> => {
    const { gateway, url, sample } = one;
    const findings = await inTime(async (signal) => {
      const network = await found.probeCertificate(url, gateway.description);
      // Where nobody is reached, nobody is signed in to.
      if (network.some(({ outcome }) => outcome === 'fail')) return network;
      return [...network, ...(await gateway.probe(sample, probeContext(signal)))];
    });
    return { kind: 'gateway', name: gateway.description, findings };
  });
  const publishers = found.publishers.map((publisher) => async (): Promise<Checked> => {
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
