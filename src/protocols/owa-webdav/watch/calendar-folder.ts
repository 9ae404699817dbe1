import { BridgeError } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { childrenNamed } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { el, writeXml } from '../../../platform/xml/write.ts';
import { isSuccess, propertiesIn, statusIn } from '../message-property.ts';
import { DAV } from '../names.ts';
import { mayLeadTo } from '../redirect-rule.ts';
import { HTTPMAIL } from './names.ts';

/** The PROPFIND body that asks a mailbox's root where its calendar is, in whatever language it has its name (presence.md §B.4). Send it with `Depth: 0`. */
export function encodeFolderPropfind(): string {
  return writeXml(el('D:propfind', { 'xmlns:D': DAV, 'xmlns:h': HTTPMAIL }, el('D:prop', {}, el('h:calendar'))));
}

/**
 * Reads the 207: the calendar's URL as it stands there; undefined where the property is missing.
 *
 * @throws BridgeError BACKEND_MALFORMED where it is no multistatus of one; MAILBOX_REFUSED and MAILBOX_UNKNOWN where the status inside says so
 */
export function decodeFolderPropfind(root: XmlElement): string | undefined {
  const responses = childrenNamed(root, 'response');
  const response = responses[0];
  if (root.name !== 'multistatus' || response === undefined || responses.length > 1) throw new BridgeError('BACKEND_MALFORMED', 'the answer is not about one mailbox');
  const overall = statusIn(response);
  if (overall !== undefined && !isSuccess(overall)) throw refusalOf(overall);
  const statuses: number[] = [];
  for (const propstat of childrenNamed(response, 'propstat')) {
    const status = statusIn(propstat) ?? 0;
    if (!isSuccess(status)) {
      statuses.push(status);
      continue;
    }
    const text = propertiesIn(propstat).find(({ ns, name }) => ns === HTTPMAIL && name === 'calendar')?.text.trim();
    if (text !== undefined && text !== '') return text;
  }
  const refused = statuses.find((status) => status === 401 || status === 403);
  if (refused !== undefined) throw refusalOf(refused);
  return undefined;
}

/**
 * Where requests about the folder go. The URL stays as the server gave it, escapes and all; it may lead to the configured server or to one of `hosts` and nowhere else, because our
 * credentials go with every request.
 *
 * @param hosts as HttpClientOptions.redirectHosts
 * @throws BridgeError BACKEND_REDIRECT where it leads elsewhere, BACKEND_MALFORMED where it is no URL of a folder
 */
export function folderUrl(text: string, root: URL, hosts: readonly string[]): URL {
  if (text.length > LIMITS.webdavFolderUrlCharacters || !URL.canParse(text, root.href)) throw unreadable();
  const url = new URL(text, root);
  if (!mayLeadTo(url, root, hosts) && url.username === '' && url.password === '') {
    const isDowngrade = url.protocol === 'http:' && root.protocol === 'https:' && url.hostname === root.hostname;
    throw new BridgeError('BACKEND_REDIRECT', 'the server says that the calendar is elsewhere', {
      details: { target: url.origin, hint: isDowngrade ? 'behind a proxy that ends TLS, Exchange wants the header Front-End-Https: on' : 'list the host under `hosts` if it is right' },
    });
  }
  // A parser of URLs takes `..` out, also in its escaped form: what is left is not what the server gave.
  const path = text.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '');
  const isPlain = path.startsWith('/') && !path.startsWith('//') && !/[\\?#\p{Cc}]/u.test(path) && !path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
  if (!isPlain || url.username !== '' || url.password !== '' || url.pathname === '/') throw unreadable();
  return url;
}

/** The path for people: escapes taken out where they are UTF-8. */
export function readablePath(url: URL): string {
  try {
    return decodeURIComponent(url.pathname).replace(/\p{C}/gu, '?');
  } catch {
    return url.pathname;
  }
}

function refusalOf(status: number): BridgeError {
  if (status === 401 || status === 403) return new BridgeError('MAILBOX_REFUSED', 'the mailbox may not be read', { details: { status } });
  if (status === 404 || status === 410) return new BridgeError('MAILBOX_UNKNOWN', 'the server has no such mailbox', { details: { status } });
  return new BridgeError('BACKEND_FAULT', 'the mailbox cannot be read', { details: { status } });
}

function unreadable(): BridgeError {
  return new BridgeError('BACKEND_MALFORMED', 'the address of the calendar cannot be read');
}
