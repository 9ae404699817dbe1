import { quoted } from '../key-path.ts';
import { nearest } from '../nearest.ts';
import { listed } from '../problems.ts';
import type { Problem } from '../problems.ts';

/** The mistake where a key names a system that is not there; `also` completes the list of what it could name. */
export function namesSystem(path: Problem['path'], name: string, systems: readonly string[], also = ''): readonly Problem[] {
  if (systems.includes(name)) return [];
  const near = nearest(name, systems);
  const meant = near === undefined ? '' : `, did you mean ${near}?`;
  return [{ path, message: `no system named ${quoted(name)}${meant}; systems: ${listed(systems)}${also}` }];
}
