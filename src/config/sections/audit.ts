import type * as z from 'zod';
import { LIMITS } from '../../core/limits.ts';
import type { AuditConfig } from '../config.ts';
import { flag } from '../fields/field.ts';
import { integer } from '../fields/integer.ts';
import { section } from '../fields/section.ts';

/** `audit:`, what is taken down in dataDir/audit.log and how much of it is kept. */
export function audit(): z.ZodType<AuditConfig> {
  const shape = { lookups: flag().default(true), fileMegabytes: integer(LIMITS.auditFileMegabytes).default(16), files: integer(LIMITS.auditFiles).default(5) };
  return section(shape)
    .transform(({ lookups, fileMegabytes, files }): AuditConfig => ({ lookups, fileBytes: fileMegabytes * 1024 * 1024, files }))
    .prefault({});
}
