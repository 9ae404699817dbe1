import type { Clock, Instant } from '../../core/clock.ts';
import { LIMITS } from '../../core/limits.ts';
import { RequestBudget } from '../../platform/http-client/request-budget.ts';
import { percentDecode } from '../../platform/http-server/raw-query.ts';
import { freeBusyRootUrl, folderUrl } from '../schedule-plus/message-url.ts';
import { isGone, problemOf } from './answer-problem.ts';
import type { Asking, OwaAnswer, OwaConnection } from './client-connection.ts';
import { decodeFolderList, encodeFolderListPropfind, folderKey } from './folder-list.ts';
import { readAnswer } from './read-answer.ts';

/** An answer about something in an EX: folder, and whether the server has that folder; undefined: it does not say. */
export interface InFolder {
  readonly answer: OwaAnswer;
  readonly hasFolder: boolean | undefined;
}

interface Listing {
  /** By folderKey: the segment of the path, as the server writes it. */
  readonly segments: ReadonlyMap<string, string>;
  readonly readAt: Instant;
}

/**
 * How the EX: folders of each server are spelled in its URLs. They are addressed as exchange.md §2.1 constructs it, and where there is nothing (404, 409) the server is asked what it has
 * (PROPFIND, Depth 1, of SCHEDULE+ FREE BUSY): case, escapes and the form of `/` may differ. What it said is kept for a time, and read again when something is not there.
 */
export class FreeBusyFolders {
  readonly #clock: Clock;
  readonly #listings = new WeakMap<OwaConnection, Listing>();
  readonly #reading = new WeakMap<OwaConnection, Promise<Listing | undefined>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Does something in an EX: folder; once more where the folder turns out to be spelled otherwise.
   *
   * @param folder `EX:/o=…/ou=…`
   * @param use sends a request about the folder of that URL, which ends with a slash
   */
  async at(server: OwaConnection, folder: string, ctx: Asking, use: (folder: URL) => Promise<OwaAnswer>): Promise<InFolder> {
    const constructed = folderUrl(server.url, { folder });
    const kept = this.#kept(server, LIMITS.webdavFoldersKeptMs)?.segments.get(folderKey(folder));
    const url = kept === undefined || isSame(urlOf(server, kept), constructed) ? constructed : urlOf(server, kept);
    const answer = await use(url);
    if (!isMissing(answer)) return { answer, hasFolder: answer.status === 207 ? true : undefined };
    const listing = this.#kept(server, LIMITS.webdavFoldersFreshMs) ?? (await this.#read(server, ctx));
    if (listing === undefined) return { answer, hasFolder: undefined };
    const segment = listing.segments.get(folderKey(folder));
    if (segment === undefined) return { answer, hasFolder: false };
    const found = urlOf(server, segment);
    return isSame(found, url) ? { answer, hasFolder: true } : { answer: await use(found), hasFolder: true };
  }

  #kept(server: OwaConnection, forMs: number): Listing | undefined {
    const listing = this.#listings.get(server);
    return listing !== undefined && this.#clock.now() - listing.readAt < forMs ? listing : undefined;
  }

  /** Undefined where the list may not be read, or cannot. */
  async #read(server: OwaConnection, ctx: Asking): Promise<Listing | undefined> {
    const there = this.#reading.get(server);
    if (there !== undefined) return there;
    const reading = this.#list(server, ctx).finally(() => this.#reading.delete(server));
    this.#reading.set(server, reading);
    return reading;
  }

  async #list(server: OwaConnection, ctx: Asking): Promise<Listing | undefined> {
    try {
      const headers = { depth: '1', translate: 'f', 'content-type': 'text/xml; charset="utf-8"' };
      const answer = await server.exchange({ method: 'PROPFIND', url: freeBusyRootUrl(server.url), headers, body: encodeFolderListPropfind(), ctx, budget: new RequestBudget() });
      // Without the tree there is none of its folders.
      const segments = isGone(answer) ? new Map<string, string>() : problemOf(answer, 207) === undefined ? decodeFolderList(await readAnswer(answer)) : undefined;
      if (segments === undefined) return undefined;
      const listing = { segments, readAt: this.#clock.now() };
      this.#listings.set(server, listing);
      return listing;
    } catch {
      // The first answer stands.
      return undefined;
    }
  }
}

/** Neither the thing nor, perhaps, the folder is there. */
export function isMissing(answer: OwaAnswer): boolean {
  return isGone(answer) || answer.status === 409;
}

/** A URL of a folder that belongs to that server, whatever host its list names (`localhost` in the capture): only the last segment is its word. */
function urlOf(server: OwaConnection, segment: string): URL {
  return new URL(`${freeBusyRootUrl(server.url).href}${segment}/`);
}

/** Whether two paths differ in their percent-encoding at most. */
function isSame(one: URL, other: URL): boolean {
  return percentDecode(one.pathname) === percentDecode(other.pathname);
}
