import type * as z from 'zod';
import { PRECEDENCE_RULES, PRESENCE_STATES } from '../presence-config.ts';
import type { PresenceConfig } from '../presence-config.ts';
import { mailbox } from '../fields/addresses.ts';
import { notYet, oneOf, text } from '../fields/field.ts';
import { list, section } from '../fields/section.ts';

/** `presence:`. The mapping's defaults are presence.md §C.1; working elsewhere is work, and no data is never anything but unknown. */
export function presence() {
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
    parameters: notYet(),
    gateways: notYet(),
    publishers: notYet(),
  }).prefault({});
}

/** Each mailbox once, and without the keys of later versions. */
export function settledPresence({ optIn, mapping }: z.output<ReturnType<typeof presence>>): PresenceConfig {
  return { optIn: [...new Set(optIn)], mapping, ...NOTHING_ELSE };
}

/** Until the keys are read. */
const NOTHING_ELSE: Omit<PresenceConfig, 'optIn' | 'mapping'> = {
  precedence: [...PRECEDENCE_RULES],
  language: 'en',
  parameters: { ewsStatusFrequency: 60, notificationPort: 50_020, calendarSpread: 50, exchangeTimeoutMs: 20_000, exchangeQueue: 1_000, exchangeThreads: 8, apply: 'gradual' },
  gateways: [],
  publishers: [],
};
