import type { MailboxAddress } from '../../directory/smtp-address.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';
import { decodeFreeBusyMessage } from '../schedule-plus/free-busy-message.ts';
import type { MessageLocation } from '../schedule-plus/legacy-exchange-dn.ts';
import { messageUrl } from '../schedule-plus/message-url.ts';
import { PROPERTY } from '../schedule-plus/properties.ts';
import { messageProblem } from './message-problem.ts';
import { attempt, failed } from './probe-attempt.ts';
import { decodeMessagePropfind } from './propfind-message.ts';
import { readAnswer } from './read-answer.ts';

/**
 * Whether the home system itself still writes the mailbox's message: two writers overwrite each other (exchange.md §7, 38). A stock Zimbra is
 * known by what it writes: `/cn=` in lower case in the subject, and never a range timestamp (zimbra-measured.md §3).
 */
export async function nativeProviderFinding(
  mailbox: MailboxAddress,
  location: MessageLocation,
  propfind: (url: URL) => Promise<HttpAnswer>,
  root: URL,
): Promise<readonly ProbeFinding[]> {
  const step = 'other writers';
  const read = await attempt(async () => {
    const answer = await propfind(messageUrl(root, location));
    if (answer.status === 404 || answer.status === 410) return undefined;
    const problem = messageProblem(answer, [207], location.folder);
    if (problem !== undefined) throw problem;
    return decodeMessagePropfind(await readAnswer(answer));
  });
  if ('error' in read && read.error.code !== 'NO_DATA') return [{ ...failed(step, read.error), outcome: 'warn' }];
  if ('error' in read || read.answer === undefined) return [{ step, outcome: 'ok', text: `nothing is published for ${mailbox} yet` }];
  const raw = read.answer;
  const subjects = [PROPERTY.subject, PROPERTY.normalizedSubject].flatMap((id) => raw.get(id) ?? []);
  const signs = [
    ...(subjects.some((one) => one.includes('/cn=')) ? ['its subject has cn= in lower case'] : []),
    ...(decodeFreeBusyMessage(raw).rangeTimestamp === undefined ? ['it has no range timestamp'] : []),
  ];
  if (signs.length === 0) return [{ step, outcome: 'ok', text: `the message of ${mailbox} is none of a stock Zimbra's` }];
  return [
    {
      step,
      outcome: 'warn',
      text: `the message of ${mailbox} was written by a stock Zimbra's own provider: ${signs.join(', ')}`,
      advice: 'empty zimbraFreebusyExchangeURL on that Zimbra (global, domain, class of service, account), or point it to this bridge; then `push` the mailbox',
    },
  ];
}
