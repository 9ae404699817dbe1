import { Router } from 'express';
import { BridgeError } from '../../core/errors.ts';
import type { Requester } from '../../core/request-context.ts';
import type { Directory } from '../../directory/directory.ts';
import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import { askMailboxes } from '../../freebusy/ask-mailboxes.ts';
import type { FreeBusySource } from '../../freebusy/source.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';
import { rawParameters, rawQueryOf } from '../../platform/http-server/raw-query.ts';
import { noteForLog } from '../../platform/http-server/request-scope.ts';
import { asksForDetails } from './directory-entry.ts';
import { encodeSingleEntry } from './get-directory-entry.ts';
import { decodeFreeBusyQuestion, encodeFreeBusyBody } from './get-free-busy.ts';
import { addPresence } from './presence-endpoint.ts';
import type { PresenceApiServices } from './presence-endpoint.ts';
import { decodeDirectoryQuestion, encodeDirectoryBody } from './search-directory.ts';
import { signedIn } from './signed-in-endpoint.ts';
import openapi from './openapi.json' with { type: 'json' };

export interface RestApiServices extends PresenceApiServices {
  readonly source: FreeBusySource;
  readonly directory: Directory;
  readonly signIn: SignIn;
}

/** Our own JSON API under /api/v1; every operation signs in first. openapi.json is the contract, and is served. */
export function restApiEndpoint({ source, directory, signIn, ...presence }: RestApiServices): Router {
  const router = Router({ caseSensitive: true });
  const operation = signedIn(signIn);

  router.all(
    '/api/v1/freebusy',
    operation('freebusy', async (request, requester, ctx) => {
      const { mailboxes, window } = decodeFreeBusyQuestion(rawParameters(rawQueryOf(request.originalUrl)));
      noteForLog(request, { mailboxes: mailboxes.length });
      return encodeFreeBusyBody(window, await askMailboxes(source, mailboxes, window, requester.detail === 'details', { ...ctx, saysAge: true }));
    }),
  );
  addPresence(router, operation, presence);
  router.all(
    '/api/v1/directory',
    operation('directory', async (request, requester) => {
      mustSeeDirectory(requester);
      const parameters = rawParameters(rawQueryOf(request.originalUrl));
      return encodeDirectoryBody(directory.search(decodeDirectoryQuestion(parameters), requester), asksForDetails(parameters));
    }),
  );
  router.all(
    '/api/v1/directory/:address',
    operation('directory/entry', async (request, requester) => {
      mustSeeDirectory(requester);
      const address = parseMailboxAddress(String(request.params['address']));
      const found = address === undefined ? undefined : directory.resolve(address, requester);
      if (found === undefined) throw new BridgeError('NOT_FOUND', 'nobody in the address book has this address');
      const withDetails = asksForDetails(rawParameters(rawQueryOf(request.originalUrl)));
      return encodeSingleEntry(found, withDetails, withDetails && found.kind === 'group' ? directory.membersOf(found, requester) : undefined);
    }),
  );
  router.all(
    '/api/v1/openapi.json',
    operation('openapi', async () => openapi),
  );
  return router;
}

/** Before the question is read, so that a client without the right learns the same from every one. @throws BridgeError ACCESS_DENIED */
function mustSeeDirectory({ gal = 'none' }: Requester): void {
  if (gal === 'none') throw new BridgeError('ACCESS_DENIED', 'this client may not see the address book');
}
