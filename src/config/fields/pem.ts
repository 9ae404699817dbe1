import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { LIMITS } from '../../core/limits.ts';
import type { Surroundings } from '../surroundings.ts';
import { readBoundedFile } from './bounded-file.ts';
import { Mistake, text } from './field.ts';
import type { Field } from './field.ts';

const CERTIFICATE = /-----BEGIN (?:X509 )?CERTIFICATE-----[^-]*-----END (?:X509 )?CERTIFICATE-----/g;

/** Path of a PEM file, read: its text. */
export function pemFile(what: string, { directory }: Surroundings): Field<string> {
  return text(`the path of ${what} (PEM)`, async (value) => {
    if (value === '' || value.includes('\0')) return undefined;
    const path = resolve(directory, value);
    const pem = await readBoundedFile(path, LIMITS.pemBytes);
    if (!pem.includes('-----BEGIN ')) throw new Mistake(`${path} is no PEM file (it has no -----BEGIN line)`);
    return pem;
  });
}

/** Path of a file of authorities, read: its certificates one by one. */
export function certificateFile(surroundings: Surroundings): Field<readonly string[]> {
  return pemFile('the certificates of the authorities to trust', surroundings).transform((pem, ctx): readonly string[] => {
    const certificates = pem.match(CERTIFICATE) ?? [];
    const bad = certificates.findIndex((one) => !isCertificate(one));
    if (certificates.length === 0) ctx.issues.push({ code: 'custom', message: 'the file holds no certificate', input: undefined });
    if (bad >= 0) ctx.issues.push({ code: 'custom', message: `certificate ${bad + 1} of the file cannot be read`, input: undefined });
    return certificates;
  });
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false; // OpenSSL's reason is a number that helps nobody.
  }
}
