import type { IncomingMessage } from 'node:http';
import { BridgeError } from '../../core/errors.ts';
import type { Instant } from '../../core/clock.ts';
import { parseIsoTime } from '../../core/iso-time.ts';
import { LIMITS } from '../../core/limits.ts';
import { readBody } from '../../platform/http-server/body.ts';
import { languageTag } from '../../core/language-tag.ts';
import { PRESENCE_STATES } from '../../presence/presence.ts';
import type { PresenceState } from '../../presence/presence.ts';
import { OWN_STATES } from '../../presence/presence-service.ts';
import type { OptInState, OwnSource } from '../../presence/presence-service.ts';

/** The body of PUT …/opt-in; what is left out stays as it is. */
export interface OptInRequest {
  readonly isOptedIn: boolean | undefined;
  /** null: the configuration's again. */
  readonly language: string | null | undefined;
}

/** The answer of GET, PUT and DELETE …/opt-in. */
export interface OptInBody {
  readonly address: string;
  readonly optIn: boolean;
  readonly language: string | null;
  readonly by: string | null;
  readonly at: string | null;
}

export function encodeOptIn(address: string, { isOptedIn, language, by, at }: OptInState): OptInBody {
  return { address, optIn: isOptedIn, language: language ?? null, by: by ?? null, at: at === undefined ? null : new Date(at).toISOString() };
}

/** `{"optIn": true, "language": "de"}`. @throws BridgeError INVALID_REQUEST, BODY_TOO_LARGE */
export async function readOptIn(request: IncomingMessage): Promise<OptInRequest> {
  const { optIn, language } = await readJsonObject(request, '{"optIn": true}');
  if (optIn !== undefined && typeof optIn !== 'boolean') throw new BridgeError('INVALID_REQUEST', 'optIn should be true or false');
  if (language !== undefined && language !== null && (typeof language !== 'string' || languageTag(language) === undefined)) throw new BridgeError('INVALID_REQUEST', 'language should be a language tag (en, de, de-AT), or null');
  if (optIn === undefined && language === undefined) throw new BridgeError('INVALID_REQUEST', 'the body should be {"optIn": true}, with or without "language"');
  return { isOptedIn: optIn, language };
}

/** `{"state": "do-not-disturb", "until": "2026-03-02T10:00:00Z"}`; `until` null or left out: until it is taken back. @throws BridgeError INVALID_REQUEST, BODY_TOO_LARGE */
export async function readOwnState(request: IncomingMessage, source: OwnSource): Promise<{ readonly state: PresenceState; readonly until: Instant | null }> {
  const { state: said, until: untilSaid = null } = await readJsonObject(request, `{"state": "${OWN_STATES[source][0]}", "until": null}`);
  const state = PRESENCE_STATES.find((one) => one === said);
  if (state === undefined || !OWN_STATES[source].includes(state)) throw new BridgeError('INVALID_REQUEST', `state should be one of ${OWN_STATES[source].join(', ')}`);
  const until = untilSaid === null ? null : typeof untilSaid === 'string' ? parseIsoTime(untilSaid, 'zoned') : undefined;
  if (until === undefined) throw new BridgeError('INVALID_REQUEST', 'until should be a time with its zone (2026-03-02T10:00:00Z), or null');
  return { state, until };
}

/**
 * A body that must be sent as application/json: no web page may send that elsewhere without asking first.
 *
 * @param example of a right body, for whoever sent another
 * @throws BridgeError INVALID_REQUEST, BODY_TOO_LARGE
 */
export async function readJsonObject(request: IncomingMessage, example: string, limitBytes: number = LIMITS.presenceBodyBytes): Promise<Readonly<Record<string, unknown>>> {
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) throw new BridgeError('INVALID_REQUEST', 'the body should be application/json');
  const body = await readBody(request, limitBytes);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    // The parser's own words quote the body.
    throw new BridgeError('INVALID_REQUEST', `the body should be JSON in UTF-8: ${example}`, { cause: error });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new BridgeError('INVALID_REQUEST', `the body should be ${example}`);
  return json as Readonly<Record<string, unknown>>;
}
