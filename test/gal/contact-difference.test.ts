import { describe, expect, it } from 'vitest';
import { contactDifference } from '../../src/gal/contact-difference.ts';
import type { ContactDifference, ContactTarget } from '../../src/gal/contact-difference.ts';
import type { GalRow } from '../../src/gal/gal-row.ts';
import { record, row } from './rows.ts';

const EXCHANGE: ContactTarget = { name: 'exchange', domains: ['corp.example'] };
const ANNA = row([record('exchange', 'anna@corp.example', { name: 'Anna', nickname: 'Anna' })]);
const KIM = record('zimbra', 'kim@zimbra.example', { name: 'Kim' });
const contact = (address: string, keys: Parameters<typeof record>[2] = {}) => record('exchange', address, { kind: 'contact', targetAddress: address, ...keys });

function difference(rows: readonly GalRow[], target: ContactTarget = EXCHANGE): { readonly [K in keyof ContactDifference]: unknown } {
  const { add, change, remove, remarks, takenAliases } = contactDifference(rows, target);
  return {
    add: add.map(({ entry, externalAddress }) => (entry.address === externalAddress ? entry.address : `${entry.address} by ${externalAddress}`)),
    change: change.map(({ entry, name, targetAddress }) => [entry.address, name, targetAddress]),
    remove: remove.map(({ address }) => address),
    remarks,
    takenAliases: [...takenAliases],
  };
}
const NOTHING = { add: [], change: [], remove: [], remarks: [] };

describe('the contacts that a system needs', () => {
  it('are those of the other systems whom it does not have yet: people, rooms, equipment and groups, sorted', () => {
    const kinds = (['room', 'equipment', 'group', 'person'] as const).map((kind) => row([record('zimbra', `${kind}@zimbra.example`, { kind })]));
    expect(difference([ANNA, ...kinds])).toEqual({ ...NOTHING, add: ['equipment@zimbra.example', 'group@zimbra.example', 'person@zimbra.example', 'room@zimbra.example'], takenAliases: ['anna'] });
    expect(difference(kinds, { ...EXCHANGE, kinds: ['room'] })).toMatchObject({ add: ['room@zimbra.example'] });
  });

  it('are none for hidden people, for contacts of others, and for whose home nobody knows', () => {
    expect(difference([row([KIM], { isHidden: true }), row([record('zimbra', 'friend@elsewhere.example', { kind: 'contact' })]), row([record(undefined, 'x@y.example')])])).toMatchObject(NOTHING);
  });

  it('are left as they are where they are right; an alias as target is as good', () => {
    expect(difference([row([KIM, contact('kim@zimbra.example', { name: 'Kim' })])])).toMatchObject(NOTHING);
    expect(difference([row([KIM, contact('kim@zimbra.example', { name: 'Kim', targetAddress: 'kim@relay.example' })], { aliases: ['kim@relay.example' as never] })])).toMatchObject(NOTHING);
  });

  it('follow a new name and a new address', () => {
    expect(difference([row([KIM, contact('kim@zimbra.example', { name: 'Kim Old' })])])).toMatchObject({ ...NOTHING, change: [['kim@zimbra.example', 'Kim', undefined]] });
    expect(difference([row([KIM, contact('kim@zimbra.example')])])).toMatchObject({ change: [['kim@zimbra.example', 'Kim', undefined]] });
    expect(difference([row([KIM, contact('kim@zimbra.example', { name: 'Kim', targetAddress: 'old@zimbra.example' })])])).toMatchObject({ ...NOTHING, change: [['kim@zimbra.example', undefined, 'kim@zimbra.example']] });
  });

  it('keep a name where the home knows none', () => {
    expect(difference([row([record('zimbra', 'kim@zimbra.example'), contact('kim@zimbra.example', { name: 'Kim' })])])).toMatchObject(NOTHING);
  });

  it('are too many where no directory knows the mailbox any more, in a domain in which another system has mailboxes', () => {
    expect(difference([row([KIM]), row([contact('gone@zimbra.example')]), row([contact('friend@elsewhere.example')])])).toMatchObject({ remove: ['gone@zimbra.example'], remarks: [] });
    // Nobody has told of a Zimbra at all.
    expect(difference([row([contact('gone@zimbra.example')])])).toMatchObject(NOTHING);
    // Hidden is not gone.
    expect(difference([row([KIM, contact('kim@zimbra.example')], { isHidden: true })])).toMatchObject(NOTHING);
  });

  it('are not said to be too many while a directory is not known as a whole', () => {
    const rows = [row([KIM]), row([contact('gone@zimbra.example')])];
    const left = { remove: [], remarks: ['gone@zimbra.example: no directory knows a mailbox behind this contact, but that of zimbra is not known as a whole: left alone'] };
    expect(difference(rows, { ...EXCHANGE, others: [{ name: 'zimbra', domains: [], isSure: false }] })).toMatchObject(left);
    expect(difference(rows, { ...EXCHANGE, others: [{ name: 'zimbra', domains: [], isSure: true }] })).toMatchObject({ remove: ['gone@zimbra.example'] });
    // Another Zimbra with the same domain that nobody reads.
    expect(difference(rows, { ...EXCHANGE, others: [{ name: 'zimbra', domains: [], isSure: true }, { name: 'second', domains: ['zimbra.example'], isSure: false }] })).toMatchObject({ remove: [], remarks: [expect.stringContaining('that of second')] });
  });

  it('in a shared domain go by an alias that leads out, else with a caution; what is not known there is left alone', () => {
    const shared = record('zimbra', 'lee@corp.example', { aliases: ['lee@zimbra.example'] });
    expect(difference([row([shared])])).toMatchObject({ add: ['lee@corp.example by lee@zimbra.example'], remarks: [] });
    expect(difference([row([record('zimbra', 'lee@corp.example')])])).toMatchObject({ add: ['lee@corp.example'], remarks: [expect.stringContaining('internal relay')] });
    expect(difference([row([shared]), row([contact('x@corp.example')])])).toMatchObject({ remove: [], remarks: [expect.stringMatching(/^x@corp.example: .*left alone$/)] });
  });

  it('two mailboxes, several contacts, and mail users that say something else are left alone, with a remark', () => {
    const { remarks, ...rest } = difference([
      row([KIM, record('exchange', 'kim@zimbra.example')], { home: 'zimbra' }),
      row([record('zimbra', 'two@zimbra.example'), contact('two@zimbra.example'), contact('two@zimbra.example', { id: 'other' })]),
      row([record('zimbra', 'user@zimbra.example', { name: 'New' }), record('exchange', 'user@zimbra.example', { name: 'Old', isMailbox: false, targetAddress: 'user@zimbra.example' })]),
      row([record('zimbra', 'same@zimbra.example', { name: 'Same' }), record('exchange', 'same@zimbra.example', { name: 'Same', isMailbox: false, targetAddress: 'same@zimbra.example' })]),
    ]);
    expect(rest).toMatchObject({ add: [], change: [], remove: [] });
    expect(remarks).toEqual([expect.stringMatching(/^kim@.*has a mailbox of this address, too/), expect.stringMatching(/^two@.*2 entries/), expect.stringMatching(/^user@.*mail user/)]);
  });

  it('do not depend on the order of the rows', () => {
    const rows = [ANNA, row([KIM]), row([contact('gone@zimbra.example')]), row([record('zimbra', 'a@zimbra.example')]), row([record('zimbra', 'lee@zimbra.example'), contact('lee@zimbra.example', { name: 'x' })])];
    const { takenAliases: _, ...forward } = difference(rows);
    const { takenAliases: __, ...backward } = difference([...rows].reverse());
    expect(backward).toEqual(forward);
  });
});
