import { isLowered } from '../core/tls-version.ts';
import type { TlsVersion } from '../core/tls-version.ts';
import type { Config } from './config.ts';
import { formatPath } from './key-path.ts';

/** Where TLS is weaker than usual, and what that means; each line begins with the key's path. */
export function tlsWarnings({ systems, presence }: Omit<Config, 'warnings'>): readonly string[] {
  return [
    ...systems.flatMap(({ name, minTlsVersion }) => lowered(['systems', name, 'tls', 'minVersion'], minTlsVersion)),
    // With a system it is said there.
    ...presence.gateways.flatMap(({ system, minTlsVersion }, index) => (system === undefined ? lowered(['presence', 'gateways', index, 'tls', 'minVersion'], minTlsVersion) : [])),
  ];
}

function lowered(path: readonly (string | number)[], version: TlsVersion | undefined): readonly string[] {
  if (!isLowered(version)) return [];
  const what = 'all that is said with this server, the password too, is readable by who can break that; keys below 2048 bits and certificates signed with SHA-1 are taken from it as well';
  return [`${formatPath(path)}: is ${version}: ${what}; name its authority under tls.ca, put a proxy that speaks TLS 1.2 in front of it if you can, and then take the key out`];
}
