import type { EngineRules } from '../../src/presence/engine.ts';
import { DEFAULT_PRESENCE_MAPPING } from '../../src/presence/mapping.ts';

/** The original's mapping and order, no spread, English words. */
export function rules(more: Partial<EngineRules> = {}): EngineRules {
  return {
    mapping: DEFAULT_PRESENCE_MAPPING,
    precedence: ['do-not-disturb', 'manual-since', 'phone', 'out-of-office', 'meeting', 'manual', 'idle'],
    spread: 0,
    textFor: (state) => ({ text: state === 'in-a-meeting' ? 'In a meeting' : '', language: 'en' }),
    ...more,
  };
}
