import { toBridgeError } from '../../core/errors.ts';
import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import { isRefused } from './account-lookup.ts';
import { probeFailure } from './probe.ts';
import { decodeSearchGalResponse, encodeSearchGalRequest } from './search-gal.ts';
import { accountsOfToken, decodeSyncGalResponse, encodeSyncGalRequest } from './sync-gal.ts';

interface GalProbe {
  readonly signIn: () => Promise<void>;
  readonly call: (request: XmlNode) => Promise<XmlElement | undefined>;
}

/** Signs in, tries one search and one page of SyncGal. */
export async function probeGal({ signIn, call }: GalProbe): Promise<readonly ProbeFinding[]> {
  try {
    await signIn();
  } catch (thrown) {
    return [probeFailure('sign-in', toBridgeError(thrown))];
  }
  const signedIn: ProbeFinding = { step: 'sign-in', outcome: 'ok', text: 'the account got a token' };
  const search = await finding('address list', async () => {
    const { contacts, more } = decodeSearchGalResponse(await call(encodeSearchGalRequest('*', 1, 0)));
    if (contacts.length > 0) return { step: 'address list', outcome: 'ok', text: `the account sees ${more ? 'more than ' : ''}${contacts.length} of it` };
    return { step: 'address list', outcome: 'fail', text: 'the address list is empty', advice: 'see zimbraGalMode of the account’s domain' };
  });
  if (search.outcome === 'fail') return [signedIn, search];
  return [signedIn, search, await finding('changes', async () => syncFinding(call))];
}

async function syncFinding(call: GalProbe['call']): Promise<ProbeFinding> {
  const step = 'changes';
  try {
    const { token, isThrottled } = decodeSyncGalResponse(await call(encodeSyncGalRequest(undefined, 1)));
    if (isThrottled) return { step, outcome: 'warn', text: 'too many others read the address list', advice: 'raise zimbraGalSyncMaxConcurrentClients of the domain' };
    if (accountsOfToken(token).length > 0) return { step, outcome: 'ok', text: 'followed every 20 seconds by SyncGal, deletions too' };
    return { step, outcome: 'warn', text: 'followed every 20 seconds by SyncGal, deletions every 15 minutes', advice: 'a GAL synchronisation account, with zimbraLdapGalSyncDisabled TRUE on the domain, tells of deletions at once' };
  } catch (error) {
    if (!isRefused(error)) throw error;
    return { step, outcome: 'warn', text: 'SyncGal is refused: everybody is searched for every 15 minutes', advice: 'zmprov ma {account} zimbraFeatureGalSyncEnabled TRUE' };
  }
}

async function finding(step: string, look: () => Promise<ProbeFinding>): Promise<ProbeFinding> {
  try {
    return await look();
  } catch (thrown) {
    const error = toBridgeError(thrown);
    if (isRefused(error)) return { step, outcome: 'fail', text: `${error.code}: the account may not search the address list`, advice: 'zmprov ma {account} zimbraFeatureGalEnabled TRUE' };
    return probeFailure(step, error);
  }
}
