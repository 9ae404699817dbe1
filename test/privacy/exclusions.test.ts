import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Audit, AuditEntry } from '../../src/core/audit.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { Exclusions } from '../../src/privacy/exclusions.ts';
import { OptOutFile } from '../../src/privacy/opt-out-file.ts';
import type { Gal } from '../../src/gal/gal.ts';
import { Homes } from '../../src/directory/homes.ts';
import { AD, SYSTEMS, ZIMBRA, HandClock, address, contact, entry, gal, put } from '../gal/gal-world.ts';
import { keepingLogger } from '../platform/http-server/serving.ts';

let folder: string;
let file: OptOutFile;
let book: Gal;
let audited: AuditEntry[];
let said: ReturnType<typeof keepingLogger>['lines'];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'exclusions-'));
  file = await OptOutFile.open(join(folder, 'opt-outs'));
  book = gal();
  audited = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const ROOT = { by: 'command root', via: 'command' };

function exclusions(...exclude: readonly string[]): Exclusions {
  const { logger, lines } = keepingLogger();
  said = lines;
  const homes = new Homes(SYSTEMS);
  const audit: Audit = { record: (one) => void audited.push(one) };
  return new Exclusions({
    exclude: exclude.map(address),
    optOuts: () => file,
    resolve: (mailbox) => {
      const found = homes.of(mailbox, book.find(mailbox));
      return found.home === undefined ? mailbox : found.address;
    },
    expand: (group, most) => book.expand(group, most),
    isKnown: (mailbox) => homes.of(mailbox, book.find(mailbox)).home !== undefined || book.find(mailbox) !== undefined,
    revision: () => book.revision,
    audit,
    clock: new HandClock(),
    logger,
  });
}
const hidden = (of: Exclusions, ...mailboxes: readonly string[]): readonly (string | undefined)[] => mailboxes.map((one) => of.reasonToHide(address(one)));
const EXCLUDED = 'it is excluded by privacy.exclude';
const OPTED_OUT = 'it has opted out';

describe('privacy.exclude', () => {
  it('hides a mailbox by whichever of its addresses, and nobody else', () => {
    put(book, AD, entry('anna@corp.example', { aliases: ['a.schmidt@corp.example'] }), entry('lee@corp.example'));
    const of = exclusions('a.schmidt@corp.example', 'nobody-in-a-directory@zimbra.example');
    expect(hidden(of, 'anna@corp.example', 'a.schmidt@corp.example', 'anna+news@corp.example', 'nobody-in-a-directory@zimbra.example', 'nobody-in-a-directory+x@zimbra.example')).toEqual(Array.from({ length: 5 }, () => EXCLUDED));
    expect(hidden(of, 'lee@corp.example', 'anna@zimbra.example', 'xanna@corp.example')).toEqual([undefined, undefined, undefined]);
    expect([of.isHidden(address('anna@corp.example')), of.isHidden(address('lee@corp.example'))]).toEqual([true, false]);
  });

  it('hides the members of a group, of groups in groups, of both systems, and contacts’ mailboxes', () => {
    put(book, ZIMBRA, entry('kim@zimbra.example', { aliases: ['k@zimbra.example'] }));
    put(book, AD, entry('anna@corp.example'), contact('kim.ad@corp.example', { targetAddress: 'kim@zimbra.example' }), entry('inner@corp.example', { kind: 'group', members: ['kim.ad@corp.example', 'outer@corp.example'] }), entry('outer@corp.example', { kind: 'group', members: ['anna@corp.example', 'inner@corp.example'] }), entry('lee@corp.example'));
    const of = exclusions('outer@corp.example');
    expect(hidden(of, 'outer@corp.example', 'anna@corp.example', 'kim@zimbra.example')).toEqual([EXCLUDED, EXCLUDED, EXCLUDED]);
    expect(hidden(of, 'lee@corp.example')).toEqual([undefined]);
  });

  it('follows the directory: who joins is hidden with the next question, who leaves is not, a group that is gone hides nobody', () => {
    put(book, AD, entry('anna@corp.example'), entry('lee@corp.example'), entry('board@corp.example', { kind: 'group', members: ['anna@corp.example'] }));
    const of = exclusions('board@corp.example');
    expect(hidden(of, 'anna@corp.example', 'lee@corp.example')).toEqual([EXCLUDED, undefined]);
    put(book, AD, entry('board@corp.example', { kind: 'group', members: ['lee@corp.example'] }));
    expect(hidden(of, 'anna@corp.example', 'lee@corp.example')).toEqual([undefined, EXCLUDED]);
    book.apply(AD, [], ['board@corp.example']);
    expect(hidden(of, 'anna@corp.example', 'lee@corp.example')).toEqual([undefined, undefined]);
  });

  it('of somebody who is renamed follows to the new address', () => {
    put(book, AD, entry('anna@corp.example', { id: '1' }));
    const of = exclusions('anna@corp.example');
    expect(hidden(of, 'anna@corp.example')).toEqual([EXCLUDED]);
    put(book, AD, entry('anna.meyer@corp.example', { id: '1', aliases: ['anna@corp.example'] }));
    expect(hidden(of, 'anna.meyer@corp.example', 'anna@corp.example')).toEqual([EXCLUDED, EXCLUDED]);
  });

  it('says once whom it cannot hide', () => {
    const of = exclusions('typo@nowhere.example', 'anna@corp.example');
    hidden(of, 'anna@corp.example');
    put(book, AD, entry('lee@corp.example'));
    hidden(of, 'anna@corp.example');
    expect(said).toMatchObject([{ level: 'warn', mailbox: 'typo@nowhere.example' }]);
  });
});

describe('opting out', () => {
  it('hides at once, is audited under the primary address, and is taken back by any of its addresses', async () => {
    put(book, AD, entry('anna@corp.example', { aliases: ['a@corp.example'] }));
    const of = exclusions();
    expect(await of.switch(address('a@corp.example'), true, ROOT)).toBe(true);
    expect(hidden(of, 'anna@corp.example')).toEqual([OPTED_OUT]);
    expect(await of.switch(address('anna@corp.example'), true, ROOT)).toBe(false);
    expect(of.of(address('a@corp.example'))).toMatchObject({ isHidden: true, isOptedOut: true, isExcluded: false, by: 'command root', at: expect.any(Number) as number });
    expect(await of.switch(address('a@corp.example'), false, ROOT)).toBe(true);
    expect(await of.switch(address('a@corp.example'), false, ROOT)).toBe(false);
    expect(hidden(of, 'anna@corp.example')).toEqual([undefined]);
    expect(audited).toEqual([{ what: 'privacy.opt-out', mailbox: 'anna@corp.example', ...ROOT, changed: true }, { what: 'privacy.opt-in', mailbox: 'anna@corp.example', ...ROOT, changed: true }]);
    expect([...(await OptOutFile.open(join(folder, 'opt-outs'))).optOuts]).toEqual([]);
  });

  it('lasts over another primary address, and is taken back under the new one', async () => {
    put(book, AD, entry('anna@corp.example', { id: '1' }));
    const of = exclusions();
    await of.switch(address('anna@corp.example'), true, ROOT);
    put(book, AD, entry('anna.meyer@corp.example', { id: '1', aliases: ['anna@corp.example'] }));
    expect(hidden(of, 'anna.meyer@corp.example')).toEqual([OPTED_OUT]);
    expect(await of.switch(address('anna.meyer@corp.example'), true, ROOT)).toBe(false);
    expect(await of.switch(address('anna.meyer@corp.example'), false, ROOT)).toBe(true);
    expect(hidden(of, 'anna.meyer@corp.example', 'anna@corp.example')).toEqual([undefined, undefined]);
  });

  it('in again shows nobody whom the file excludes, or whose group has opted out', async () => {
    put(book, AD, entry('anna@corp.example'), entry('lee@corp.example'), entry('board@corp.example', { kind: 'group', members: ['lee@corp.example'] }));
    const of = exclusions('anna@corp.example');
    await of.switch(address('anna@corp.example'), true, ROOT);
    await of.switch(address('board@corp.example'), true, ROOT);
    await of.switch(address('anna@corp.example'), false, ROOT);
    expect(await of.switch(address('lee@corp.example'), false, ROOT)).toBe(false);
    expect(hidden(of, 'anna@corp.example', 'lee@corp.example')).toEqual([EXCLUDED, OPTED_OUT]);
    expect(of.of(address('lee@corp.example'))).toMatchObject({ isHidden: true, isOptedOut: true, by: undefined });
    expect(of.all().map(({ mailbox, isExcluded, isOptedOut }) => [mailbox, isExcluded, isOptedOut])).toEqual([['anna@corp.example', true, false], ['board@corp.example', false, true]]);
  });

  it('tells the replication who is hidden now and was not, and the other way round', async () => {
    const told: (readonly MailboxAddress[])[] = [];
    put(book, AD, entry('anna@corp.example'), entry('lee@corp.example'), entry('board@corp.example', { kind: 'group', members: ['anna@corp.example'] }));
    const of = exclusions('board@corp.example');
    of.watch((mailboxes) => told.push(mailboxes));
    await of.switch(address('lee@corp.example'), true, ROOT);
    put(book, AD, entry('board@corp.example', { kind: 'group', members: [] }));
    of.isHidden(address('anna@corp.example'));
    await of.switch(address('lee@corp.example'), false, ROOT);
    expect(told).toEqual([['lee@corp.example'], ['anna@corp.example'], ['lee@corp.example']]);
    // Another configuration: what it hides more, and less.
    expect([...exclusions('anna@corp.example').differenceTo(of)].sort()).toEqual(['anna@corp.example', 'board@corp.example']);
    of.close();
  });

  it('before it is opened nobody can, and the file’s own count', async () => {
    const of = exclusions('anna@corp.example');
    const closed = new Exclusions({ exclude: [address('anna@corp.example')], optOuts: () => undefined, resolve: (one) => one, expand: () => undefined, isKnown: () => true, revision: () => 0, audit: { record: () => undefined }, clock: new HandClock(), logger: keepingLogger().logger });
    expect([closed.reasonToHide(address('anna@corp.example')), of.reasonToHide(address('anna@corp.example'))]).toEqual([EXCLUDED, EXCLUDED]);
    await expect(closed.switch(address('lee@corp.example'), true, ROOT)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});
