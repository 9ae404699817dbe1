import type * as z from 'zod';
import { PRECEDENCE_RULES, PRESENCE_STATES } from '../presence-config.ts';
import type { PresenceConfig } from '../presence-config.ts';
import type { SystemConfig } from '../config.ts';
import { mailbox } from '../fields/addresses.ts';
import { oneOf, text } from '../fields/field.ts';
import { languageTag } from '../fields/language.ts';
import { path } from '../fields/path.ts';
import { list, section } from '../fields/section.ts';
import type { Surroundings } from '../surroundings.ts';
import { presenceGateways, settledGateways } from './presence-gateways.ts';
import { presenceParameters, settledParameters } from './presence-parameters.ts';
import { presencePublishers } from './presence-publishers.ts';

/** `presence:`. The mapping's defaults are presence.md §C.1; working elsewhere is work, and no data is never anything but unknown. What spans keys: checks/presence.ts. */
export function presence(surroundings: Surroundings) {
  const state = oneOf(PRESENCE_STATES);
  const right = 'unknown: what nobody knows is never shown as anything else';
  const unknown = text(right, (value) => (value === 'unknown' ? value : undefined));
  return section({
    optIn: list(mailbox()).default([]),
    mapping: section({
      free: state.default('available'),
      'no-data': unknown.default('unknown'),
      'working-elsewhere': state.default('available'),
      tentative: state.default('available'),
      busy: state.default('in-a-meeting'),
      oof: state.default('away'),
    }).prefault({}),
    precedence: list(oneOf(PRECEDENCE_RULES)).default([...PRECEDENCE_RULES]),
    language: languageTag().default('en'),
    locales: path('a folder of catalogues', surroundings).optional(),
    canary: mailbox().optional(),
    parameters: presenceParameters(),
    gateways: presenceGateways(surroundings),
    publishers: presencePublishers(surroundings),
  }).prefault({});
}

/** Each mailbox once, and with what gateways take from systems and from each other. */
export function settledPresence(output: z.output<ReturnType<typeof presence>>, systems: readonly SystemConfig[]): PresenceConfig {
  const { optIn, parameters, gateways } = output;
  return { ...output, optIn: [...new Set(optIn)], parameters: settledParameters(parameters), gateways: settledGateways(gateways, systems) };
}
