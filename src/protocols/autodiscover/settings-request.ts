import { LIMITS } from '../../core/limits.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { AUTODISCOVER_NS } from './names.ts';

/** Longer than any name of Exchange's (63); each is written once for every user. */
const SETTING_CHARACTERS = 128;

/** What GetUserSettings and GetDomainSettings have in common: whose settings, and which. */
export interface SettingsRequest {
  /** As the client wrote them, in order, twice where they stand there twice: answers are by position. */
  readonly identities: readonly string[];
  /** Without repetitions. */
  readonly settings: readonly string[];
}

/** Why a request is answered with InvalidRequest as a whole; the words are the client's to read. */
export interface InvalidRequest {
  readonly problem: string;
}

/**
 * Reads `…Message/Request` of an operation (exchange.md §4.3).
 *
 * @param path of one identity below Request: `Users`, `User`, `Mailbox`
 */
export function decodeSettingsRequest(message: XmlElement, path: readonly string[]): SettingsRequest | InvalidRequest {
  const request = below([message], 'Request');
  const identities = path.reduce<readonly XmlElement[]>(below, request).map((one) => one.text.trim());
  const settings = below(below(request, 'RequestedSettings'), 'Setting').map((one) => one.text.trim());
  if (request.length !== 1 || identities.length === 0) return { problem: 'Nobody was asked for.' };
  if (settings.length === 0) return { problem: 'No settings were requested.' };
  if (identities.length > LIMITS.autodiscoverUsers) return { problem: `At most ${LIMITS.autodiscoverUsers} can be asked for in one request.` };
  if (settings.length > LIMITS.autodiscoverSettings) return { problem: `At most ${LIMITS.autodiscoverSettings} settings can be requested at once.` };
  if (settings.some((one) => one.length > SETTING_CHARACTERS)) return { problem: 'A setting has no such name.' };
  return { identities, settings: [...new Set(settings)] };
}

function below(parents: readonly XmlElement[], name: string): readonly XmlElement[] {
  return parents.flatMap((parent) => parent.children.filter((one) => one.name === name && one.ns === AUTODISCOVER_NS));
}
