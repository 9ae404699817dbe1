import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { decodeGetUserAvailabilityResponse } from '../../../src/protocols/ews/get-user-availability.ts';
import { bodyOf, shown } from './shown.ts';
import type { Shown } from './shown.ts';

const ROOT = new URL('../../../fixtures/ews/get-user-availability/', import.meta.url);

interface Expected {
  readonly question: { readonly mailboxes: readonly MailboxAddress[]; readonly window: { readonly start: string; readonly end: string }; readonly details: boolean };
  readonly results: readonly Shown[];
}

describe('golden GetUserAvailability answers', () => {
  for (const name of readdirSync(ROOT)) {
    it(`${name} is read as its expected.json says`, async () => {
      const expected = JSON.parse(readFileSync(new URL(`${name}/expected.json`, ROOT), 'utf8')) as Expected;
      expect(readFileSync(new URL(`${name}/SOURCE.md`, ROOT), 'utf8')).not.toBe('');
      const { mailboxes, window, details } = expected.question;
      const results = await decodeGetUserAvailabilityResponse(await bodyOf(readFileSync(new URL(`${name}/message`, ROOT))), {
        mailboxes,
        window: { start: Date.parse(window.start), end: Date.parse(window.end) },
        details,
      });
      expect(results.map((one) => one.mailbox)).toEqual(mailboxes);
      // What an expectation does not mention (events, working hours) is not compared, the busy stretches always are.
      for (const [index, wanted] of expected.results.entries()) expect(shown(results[index]!)).toMatchObject(withInstants(wanted));
      expect(results).toHaveLength(expected.results.length);
    });
  }
});

/** The same instants in one spelling. */
function withInstants(value: unknown): object {
  return JSON.parse(JSON.stringify(value), (key, one: unknown) => ((key === 'start' || key === 'end') && typeof one === 'string' ? new Date(one).toISOString() : one)) as object;
}
