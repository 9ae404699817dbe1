import { describe, expect, it } from 'vitest';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { writeXml } from '../../../src/platform/xml/write.ts';
import type { AccountLookup } from '../../../src/protocols/zimbra-soap/account-lookup.ts';
import { ZimbraRoster } from '../../../src/protocols/zimbra-soap/accounts.ts';
import { decodePlace, decodeWaitSetResponse, encodeCreateWaitSetRequest, encodePlace, encodeWaitSetRequest } from '../../../src/protocols/zimbra-soap/wait-set.ts';
import { accountId } from './zimbra-admin-server.ts';
import { turnsDuring } from '../../event-loop-turns.ts';

describe('WaitSet requests', () => {
  it('are written as zimbra.md §5.1 has them', () => {
    const declaration = '<?xml version="1.0" encoding="utf-8"?>';
    expect(writeXml(encodeCreateWaitSetRequest())).toBe(`${declaration}<AdminCreateWaitSetRequest xmlns="urn:zimbraAdmin" defTypes="a" allAccounts="1"/>`);
    expect(writeXml(encodeWaitSetRequest({ waitSet: 'AllWaitSet-4f0c', seq: '0' }, 600))).toBe(
      `${declaration}<AdminWaitSetRequest xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-4f0c" seq="0" defTypes="a" block="1" timeout="600"/>`,
    );
  });
});

describe('a stored place', () => {
  it('is one line of JSON', () => {
    expect(encodePlace({ waitSet: 'AllWaitSet-1', seq: '1-2-3.4' })).toBe('{"waitSet":"AllWaitSet-1","seq":"1-2-3.4"}');
  });

  it.each(['', '{', '[]', '{}', '{"waitSet":"a"}', '{"waitSet":"","seq":"1"}', `{"waitSet":"${'a'.repeat(201)}","seq":"1"}`, '{"waitSet":"a b","seq":"1"}', '{"waitSet":["a"],"seq":"1"}'])(
    'is none where it is not ours: %s',
    (text) => expect(decodePlace(text)).toBeUndefined(),
  );
});

describe('200,000 signalled accounts', () => {
  it('let others run while they are read and sorted', async () => {
    const ids = Array.from({ length: 200_000 }, (_, index) => `<a id="${accountId(index)}" changeid="1"/>`).join('');
    const response: XmlElement = await readXml(`<AdminWaitSetResponse xmlns="urn:zimbraAdmin" waitSet="AllWaitSet-1" seq="9-1-1.1">${ids}</AdminWaitSetResponse>`);
    const lookup = { ofDomain: async function* () {} } as unknown as AccountLookup;
    const roster = new ZimbraRoster({ lookup, domains: ['zimbra.example'], mailboxes: [], clock: { now: () => 0 } });
    let accounts: ReadonlySet<string> = new Set();
    const reading = await turnsDuring(async () => {
      const answer = await decodeWaitSetResponse(response);
      if (answer.kind === 'signalled') accounts = answer.accounts;
    });
    let named = 0;
    const sorting = await turnsDuring(async () => {
      for await (const some of roster.named(accounts, new AbortController().signal)) named += some.ids.length;
    });
    expect(named).toBe(200_000);
    // 5,000 accounts a turn.
    expect(reading).toBeGreaterThanOrEqual(40);
    expect(sorting).toBeGreaterThanOrEqual(40);
  });
});
