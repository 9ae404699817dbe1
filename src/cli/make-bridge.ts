import { Bridge } from '../bridge.ts';
import type { BridgeOverrides } from '../bridge.ts';
import type { Config } from '../config/config.ts';
import { BridgeError } from '../core/errors.ts';
import type { Terminal } from './terminal.ts';

/** Wires a bridge; where a protocol's room finds the configuration wrong, says so and gives undefined. */
export function makeBridge(config: Config, terminal: Terminal, overrides: BridgeOverrides = {}): Bridge | undefined {
  try {
    return new Bridge(config, overrides);
  } catch (error) {
    if (!(error instanceof BridgeError) || error.code !== 'CONFIGURATION') throw error;
    terminal.complain(error.publicMessage);
    return undefined;
  }
}
