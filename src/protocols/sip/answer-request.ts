import { randomBytes } from 'node:crypto';
import { readParameterized, splitValue } from './header-value.ts';
import { headerLines, headerOf, NO_BODY } from './message.ts';
import type { SipHeader, SipRequest, SipResponse } from './message.ts';

/** Takes a NOTIFY that belongs to one of our subscriptions; false where it belongs to none. */
export type NotifyTaker = (request: SipRequest) => boolean;

const ALLOWED = 'OPTIONS, NOTIFY';

/**
 * What a request of the server is answered (RFC 3261 §8.2, §11): OPTIONS with what we can, a NOTIFY of ours with 200 and any other with 481 (RFC 6665 §4.1.3: which ends an orphan's subscription), what is within
 * a dialog that we do not have with 481, every other method with 405. Stateless: a repeated request gets the same answer again.
 *
 * @param from where it came from, for the top Via (§18.2.1, RFC 3581 §4)
 * @returns undefined where there is nothing to answer: an ACK, or a request without what an answer is made of
 */
export function answerRequest(request: SipRequest, from: { readonly address: string; readonly port: number }, takeNotify: NotifyTaker): SipResponse | undefined {
  const vias = headerLines(request, 'via');
  const [fromHeader, to, callId, cseq] = (['from', 'to', 'call-id', 'cseq'] as const).map((name) => headerOf(request, name));
  if (request.method === 'ACK' || vias.length === 0 || fromHeader === undefined || to === undefined || callId === undefined || cseq === undefined) return undefined;
  const { status, reason, headers = [] } = judged(request, to, takeNotify);
  const tagged = readParameterized(to).parameters.has('tag') ? to : `${to};tag=${randomBytes(8).toString('hex')}`;
  const [top = '', ...others] = vias;
  return {
    kind: 'response',
    status,
    reason,
    headers: [
      ...[withSource(top, from), ...others].map((value) => ({ name: 'Via', value })),
      { name: 'From', value: fromHeader },
      { name: 'To', value: tagged },
      { name: 'Call-ID', value: callId },
      { name: 'CSeq', value: cseq },
      ...headers,
    ],
    body: NO_BODY,
  };
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers?: readonly SipHeader[];
}

function judged(request: SipRequest, to: string, takeNotify: NotifyTaker): Answer {
  const required = headerLines(request, 'require').join(', ');
  if (required !== '') return { status: 420, reason: 'Bad Extension', headers: [{ name: 'Unsupported', value: required }] };
  if (request.method === 'NOTIFY') return takeNotify(request) ? { status: 200, reason: 'OK' } : { status: 481, reason: 'Subscription does not exist' };
  if (request.method === 'OPTIONS') return { status: 200, reason: 'OK', headers: [{ name: 'Allow', value: ALLOWED }, { name: 'Accept', value: 'application/pidf+xml' }] };
  if (request.method === 'CANCEL' || readParameterized(to).parameters.has('tag')) return { status: 481, reason: 'Call/Transaction Does Not Exist' };
  return { status: 405, reason: 'Method Not Allowed', headers: [{ name: 'Allow', value: ALLOWED }] };
}

/** The top Via with where the request really came from; the rest of the line as it was. */
function withSource(line: string, { address, port }: { readonly address: string; readonly port: number }): string {
  const [top = '', ...others] = splitValue(line, ',');
  const wanted = readParameterized(top).parameters.get('rport') === '';
  const marked = wanted ? top.replace(/;\s*rport(?=\s*(?:;|$))/i, `;rport=${port};received=${address}`) : `${top};received=${address}`;
  return [marked, ...others].join(', ');
}
