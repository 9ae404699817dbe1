import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BridgeError, toBridgeError } from '../../../src/core/errors.ts';
import type { Authentication } from '../../../src/platform/http-client/authentication.ts';
import { decodeAnswer } from '../../../src/protocols/ews/answer.ts';
import { decodeFaultError } from '../../../src/protocols/ews/response-message.ts';
import { decodeFault } from '../../../src/protocols/soap/fault.ts';

const ROOT = new URL('../../../fixtures/ews/http-answers/', import.meta.url);

interface Expected {
  /** Code of the Fault that the answer holds. */
  readonly fault?: string;
  /** SOAP without a Fault. */
  readonly envelope?: true;
  /** How the bridge signed in. */
  readonly kind?: Authentication['kind'];
  readonly code?: string;
  readonly temporary?: boolean;
  readonly retryAfterMs?: number;
  /** A piece of what an administrator is told. */
  readonly hint?: string;
  readonly isTooLarge?: true;
}

/** An answer as it came over the wire, taken apart by hand. */
function answerIn(message: Buffer): Parameters<typeof decodeAnswer>[0] {
  const end = message.indexOf('\r\n\r\n');
  const [first, ...lines] = message.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  return { status: Number(first!.split(' ')[1]), headers, body: message.subarray(end + 4) };
}

describe('an HTTP answer', () => {
  it.each(readdirSync(ROOT))('is classified: %s', async (name) => {
    const answer = answerIn(readFileSync(new URL(`${name}/message`, ROOT)));
    const expected = JSON.parse(readFileSync(new URL(`${name}/expected.json`, ROOT), 'utf8')) as Expected;
    const decoded = await decodeAnswer(answer, expected.kind).catch(toBridgeError);
    if (expected.envelope === true) return expect(decoded).toMatchObject({ body: { name: 'Body' } });
    const isFault = !(decoded instanceof BridgeError);
    if (isFault) expect(decodeFault(decoded.fault!).code).toBe(expected.fault);
    else expect(expected.fault).toBeUndefined();
    const error = isFault ? decodeFaultError(decoded.fault!) : decoded;
    const { code, temporary, retryAfterMs, details } = error;
    expect({ code, retryAfterMs }).toEqual({ code: expected.code, retryAfterMs: expected.retryAfterMs });
    if (expected.temporary !== undefined) expect(temporary).toBe(expected.temporary);
    if (expected.hint !== undefined) expect(details['hint']).toContain(expected.hint);
    expect(details['isTooLarge']).toBe(expected.isTooLarge);
  });
});
