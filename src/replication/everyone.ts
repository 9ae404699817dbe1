import { toBridgeError } from '../core/errors.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { Roster } from '../freebusy/roster.ts';
import type { PublishedStore } from './published-store.ts';
import { whyNot } from './route.ts';
import type { Route } from './route.ts';

/**
 * Everybody of one home system whom its routes replicate, and everybody whom they ever published (whoever is no longer to be
 * replicated must lose the message): pages; a mailbox may come twice.
 *
 * @param mailboxes exact addresses of the system's configuration: all there is to go by where nobody can list them
 * @throws BridgeError where the system cannot list its mailboxes, whether at once or half-way
 */
export async function* everyoneOf(
  mailboxes: readonly MailboxAddress[],
  routes: readonly { readonly route: Route; readonly published: PublishedStore }[],
  signal: AbortSignal,
): AsyncIterable<readonly MailboxAddress[]> {
  const named = new Set(routes.flatMap(({ route }) => [...route.choice.include]));
  const roster = routes[0]?.route.roster;
  if (roster === undefined) {
    yield [...new Set([...mailboxes, ...named])];
  } else {
    try {
      yield* chosen(roster, routes, signal);
    } catch (thrown) {
      // A list that will never be whole is no reason to leave alone whom we know.
      if (!toBridgeError(thrown).temporary) yield* publishedOn(routes);
      throw thrown;
    }
  }
  // After the list: a system that cannot even list its mailboxes now is not asked about each of them.
  yield* publishedOn(routes);
}

async function* chosen(roster: Roster, routes: readonly { readonly route: Route }[], signal: AbortSignal): AsyncIterable<readonly MailboxAddress[]> {
  for await (const page of roster.all(signal)) {
    const wanted = page.filter((resident) => routes.some(({ route }) => route.homeOf(resident.mailbox) === route.from && whyNot(route, resident) === undefined));
    if (wanted.length > 0) yield wanted.map(({ mailbox }) => mailbox);
  }
}

async function* publishedOn(routes: readonly { readonly published: PublishedStore }[]): AsyncIterable<readonly MailboxAddress[]> {
  for (const { published } of routes) yield* published.mailboxes();
}
