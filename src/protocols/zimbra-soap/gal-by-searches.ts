import { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { pause } from '../../core/pause.ts';
import type { SourceRead } from '../../directory/entry-source.ts';
import { localPartOf, parseMailboxAddress } from '../../directory/smtp-address.ts';
import { attribute } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { enumerate } from './gal-enumeration.ts';
import type { GalTaking } from './gal-taking.ts';
import { decodeSearchGalResponse, encodeAutoCompleteGalRequest, encodeSearchGalRequest } from './search-gal.ts';
import type { SearchGalPage } from './search-gal.ts';

interface SearchReading {
  readonly call: (request: XmlNode) => Promise<XmlElement | undefined>;
  readonly taking: GalTaking;
  /** Between two searches; default: LIMITS.zimbraGalSearches. */
  readonly pauseMs: number | undefined;
  readonly signal: AbortSignal;
}

/** Reads an address list that can only be searched. @throws BridgeError BACKEND_TOO_LARGE where that was not everybody: what was found holds, what was not is still there, for all anybody knows */
export async function readBySearches({ call, taking, pauseMs = LIMITS.zimbraGalSearches.pauseMs, signal }: SearchReading): Promise<SourceRead> {
  let example: string | undefined;
  const search = async (request: XmlNode): Promise<SearchGalPage> => {
    if (taking.count > 0) await pause(pauseMs, signal);
    return decodeSearchGalResponse(await call(request));
  };
  const isWhole = await enumerate({
    most: LIMITS.zimbraGalSearches.most,
    depth: LIMITS.zimbraGalSearches.depth,
    ask: async (name, offset) => search(encodeSearchGalRequest(name, LIMITS.zimbraGalMostResults, offset)),
    askBeginning: async (text) => search(encodeAutoCompleteGalRequest(text)),
    take: async (contacts) => {
      example ??= localPartIn(contacts);
      return taking.page({ contacts, deleted: [] }, true);
    },
    example: () => example,
  });
  if (!isWhole) throw new BridgeError('BACKEND_TOO_LARGE', 'the address list is too large to be read by searches', { details: { found: taking.count, hint: 'zimbraFeatureGalSyncEnabled' } });
  await taking.end();
  return { cursor: undefined, isWhole: true };
}

function localPartIn(contacts: readonly XmlElement[]): string | undefined {
  for (const { children } of contacts) {
    const address = parseMailboxAddress(children.find((one) => attribute(one, 'n') === 'email')?.text ?? '');
    if (address !== undefined) return localPartOf(address);
  }
  return undefined;
}
