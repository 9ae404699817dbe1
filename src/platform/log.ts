import { pino } from 'pino';
import type { LogFields, Logger } from '../core/logger.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Every key a line may carry; a Record so that the compiler insists on the whole of LogFields and on nothing else. */
const ALLOWED: Readonly<Record<keyof LogFields, true>> = {
  requestId: true,
  client: true,
  face: true,
  operation: true,
  system: true,
  protocol: true,
  mailbox: true,
  mailboxes: true,
  code: true,
  reason: true,
  status: true,
  method: true,
  address: true,
  listener: true,
  durationMs: true,
  bytes: true,
  hops: true,
  version: true,
  count: true,
  route: true,
  attempt: true,
  ageMs: true,
  outcome: true,
  stack: true,
};

/** Longest text of one field: a stack fits, a body does not. */
const FIELD_CHARACTERS = 2_000;

/**
 * Logs one JSON object a line. Fields outside the allow-list are dropped, values that are no plain text, number or boolean
 * too, and control characters are taken out of texts.
 */
export function createLogger(level: LogLevel, destination?: { write(line: string): void }): Logger {
  const out = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } }, destination ?? pino.destination({ fd: 2, sync: true }));
  return {
    debug: (fields, message) => out.debug(allowed(fields), message),
    info: (fields, message) => out.info(allowed(fields), message),
    warn: (fields, message) => out.warn(allowed(fields), message),
    error: (fields, message) => out.error(allowed(fields), message),
  };
}

function allowed(fields: LogFields): Record<string, string | number | boolean> {
  const line: Record<string, string | number | boolean> = {};
  for (const [key, value] of Object.entries(fields) as [string, unknown][]) {
    if (!Object.hasOwn(ALLOWED, key)) continue;
    if (typeof value === 'string') line[key] = value.slice(0, FIELD_CHARACTERS).replace(/[\u0000-\u0009\u000b-\u001f\u007f]/g, ' ');
    else if (typeof value === 'number' || typeof value === 'boolean') line[key] = value;
  }
  return line;
}
