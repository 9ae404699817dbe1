import { quoted } from '../key-path.ts';
import { textOf } from './outline.ts';
import type { RawMap } from './outline.ts';

/** One entry of `presence.gateways`, as far as it is a map. */
export interface RawGateway {
  readonly index: number;
  readonly keys: RawMap;
}

/** Where the gateway stands, for a message about another: its description, else its place. */
export function nameOf({ index, keys }: RawGateway): string {
  const description = textOf(keys['description']);
  return description === undefined || description === '' ? `gateways[${index}]` : quoted(description);
}
