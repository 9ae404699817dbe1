import { child, childText } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { decodeFault } from '../soap/fault.ts';
import { LATER_SERVER_VERSION, OLDEST_SERVER_VERSION, REQUEST_SERVER_VERSION, STREAMING_SERVER_VERSION } from './names.ts';
import type { EwsOperation, RequestServerVersion } from './names.ts';
import { isModern } from './server-version.ts';
import type { ServerVersion } from './server-version.ts';

/** From the newest on. */
const LADDER: readonly RequestServerVersion[] = [LATER_SERVER_VERSION, STREAMING_SERVER_VERSION, REQUEST_SERVER_VERSION, OLDEST_SERVER_VERSION];

/** What did not exist before; asked in an older version it would only be refused otherwise. */
const LEAST: Readonly<Partial<Record<EwsOperation, RequestServerVersion>>> = { FindPeople: LATER_SERVER_VERSION, GetStreamingEvents: STREAMING_SERVER_VERSION };

/**
 * The RequestServerVersion of a request: what its operation needs, and of a server that says it is 2013 or later what its operation gains by it
 * (GetUserAvailability: working elsewhere has a word of its own only in the schema of 2013). Never more than the server took.
 *
 * @param highest what the server is known to take at most
 */
export function versionFor(operation: EwsOperation, server: ServerVersion | undefined, highest: RequestServerVersion | undefined): RequestServerVersion {
  const least = LEAST[operation];
  if (least !== undefined) return least;
  const wanted = operation === 'GetUserAvailability' && isModern(server) ? LATER_SERVER_VERSION : REQUEST_SERVER_VERSION;
  return highest === undefined ? wanted : LADDER[Math.max(LADDER.indexOf(wanted), LADDER.indexOf(highest))]!;
}

/** One step down; undefined where there is none that the operation could go. */
export function olderVersion(operation: EwsOperation, refused: RequestServerVersion): RequestServerVersion | undefined {
  return LEAST[operation] === undefined ? LADDER[LADDER.indexOf(refused) + 1] : undefined;
}

/**
 * Whether a Fault refuses the version that was claimed: ErrorInvalidServerVersion, or, from servers whose schema does not even have the name,
 * ErrorSchemaValidation about it (exchange.md §3.1).
 */
export function isVersionRefusal(fault: XmlElement): boolean {
  const { code, reason, detail } = decodeFault(fault);
  const named = childText(detail, 'ResponseCode') ?? code;
  if (named === 'ErrorInvalidServerVersion') return true;
  if (named !== 'ErrorSchemaValidation') return false;
  const violations = (child(detail, 'MessageXml')?.children ?? []).map((one) => one.text);
  return [reason, ...violations].some((text) => /RequestServerVersion|ExchangeVersionType|'Version' attribute/.test(text));
}
