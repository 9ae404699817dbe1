import { TLS_VERSIONS } from '../../core/tls-version.ts';
import { oneOf } from '../fields/field.ts';
import { certificateFile } from '../fields/pem.ts';
import { section } from '../fields/section.ts';
import type { Surroundings } from '../surroundings.ts';

/** `tls:` of a calendar system, or of a presence gateway with its own server: whom to trust, and how old its TLS may be. */
export function serverTls(surroundings: Surroundings) {
  return section({ ca: certificateFile(surroundings).optional(), minVersion: oneOf(TLS_VERSIONS).optional() });
}
