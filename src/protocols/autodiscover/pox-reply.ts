import { childText, childrenNamed, descend } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { OUTLOOK_RESPONSE_NS, RESPONSE_NS } from './names.ts';
import { UNKNOWN_MAILBOX, refused, unreadable } from './refused.ts';
import type { Reply } from './reply.ts';

/** 501 and 404: grommunio. */
const UNKNOWN: ReadonlySet<string> = new Set(['500', '501', '404']);

/** The best first: outside (EXPR, or EXHTTP in its place), then inside. */
const OUTSIDE = ['EXPR', 'EXHTTP'] as const;
const INSIDE = ['EXCH'] as const;

/**
 * Reads a POX answer ([MS-OXDSCLI] §2.2.4, exchange.md §4.2), errors in it too: they come with HTTP 200.
 *
 * @throws BridgeError BACKEND_FAULT (an Error, no EwsUrl), BACKEND_MALFORMED
 */
export function decodePoxReply(root: XmlElement): Reply {
  if (root.name !== 'Autodiscover' || root.ns !== RESPONSE_NS) throw unreadable('no answer of Autodiscover');
  const [response, second] = childrenNamed(root, 'Response');
  if (response === undefined || second !== undefined) throw unreadable('not exactly one Response');
  const error = childrenNamed(response, 'Error')[0];
  if (error !== undefined) throw errorOf(childText(error, 'ErrorCode') ?? '');
  const account = childrenNamed(response, 'Account')[0];
  if (response.ns !== OUTLOOK_RESPONSE_NS || account === undefined) throw unreadable('no Account');
  return replyOf(account);
}

function replyOf(account: XmlElement): Reply {
  const action = (childText(account, 'Action') ?? '').toLowerCase();
  const [address, url] = [childText(account, 'RedirectAddr') ?? '', childText(account, 'RedirectUrl') ?? ''];
  if (action === 'redirectaddr' && address !== '') return { kind: 'address', address };
  if (action === 'redirecturl' && url !== '') return { kind: 'url', url };
  if (action !== 'settings') throw unreadable('an Action that does not exist');
  const protocols = childrenNamed(account, 'Protocol');
  const web = protocols.filter((one) => typeOf(one) === 'WEB');
  const urls = [
    ...urlsOf(protocols, OUTSIDE),
    ...web.flatMap((one) => urlsOf(childrenNamed(descend(one, 'External'), 'Protocol'), OUTSIDE)),
    ...urlsOf(protocols, INSIDE),
    ...web.flatMap((one) => urlsOf(childrenNamed(descend(one, 'Internal'), 'Protocol'), INSIDE)),
  ];
  if (urls.length === 0) throw refused('no EWS URL for this mailbox');
  return { kind: 'found', ewsUrls: [...new Set(urls)] };
}

/** EwsUrl, and where there is none the availability service, which is the same in practice. EwsPartnerUrl is for other organisations. */
function urlsOf(protocols: readonly XmlElement[], types: readonly string[]): readonly string[] {
  return types.flatMap((type) => protocols.filter((one) => typeOf(one) === type).map((one) => childText(one, 'EwsUrl') || childText(one, 'ASUrl') || '')).filter((one) => one !== '');
}

function typeOf(protocol: XmlElement): string {
  return (childText(protocol, 'Type') ?? '').toUpperCase();
}

function errorOf(code: string): Error {
  return UNKNOWN.has(code) ? refused(UNKNOWN_MAILBOX) : refused(code, code === '603');
}
