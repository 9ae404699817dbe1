import { describe, expect, it } from 'vitest';
import { AD, address, addresses, contact, entry, FILE, gal, HandClock, put, ZIMBRA } from './gal-world.ts';

const DN = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn=';

describe('merging', () => {
  it.each([
    ['primary address', contact('kim@zimbra.example', { id: 'c' })],
    ['targetAddress', contact('kim.contact@corp.example', { id: 'c', targetAddress: 'kim@zimbra.example' })],
    ['a proxy address of the contact', contact('k@corp.example', { id: 'c', aliases: ['kim@zimbra.example'] })],
    ['a proxy address of the mailbox', contact('k.kowalski@zimbra.example', { id: 'c' })],
    ['foreign principal and the last cn of the contact', contact('other@corp.example', { id: 'c', legacyExchangeDn: `${DN}KIMK` })],
  ])('a contact is its mailbox by %s, and the mailbox wins', (_what, standIn) => {
    const book = gal();
    put(book, AD, { ...standIn, name: 'Kim (Zimbra)', phone: '+49 30 1' });
    put(book, ZIMBRA, entry('kim@zimbra.example', { name: 'Kim Kowalski', aliases: ['k.kowalski@zimbra.example'], foreignPrincipal: 'kimk' }));
    expect([...book.entries()]).toMatchObject([{ address: 'kim@zimbra.example', name: 'Kim Kowalski', kind: 'person', home: 'zimbra', phone: '+49 30 1' }]);
    expect(book.find(standIn.address)).toMatchObject({ address: 'kim@zimbra.example', home: 'zimbra' });
    expect(book.resolve(standIn.address)?.address).toBe('kim@zimbra.example');
  });

  it('is the same whatever came first, and comes apart again when what held it together goes', () => {
    const book = gal();
    const standIn = contact('kim.contact@corp.example', { targetAddress: 'kim@zimbra.example', name: 'Kim' });
    put(book, ZIMBRA, entry('kim@zimbra.example'));
    put(book, AD, standIn);
    expect(addresses(book)).toEqual(['kim@zimbra.example']);
    expect(book.resolve(address('kim@zimbra.example'))?.aliases).toEqual(['kim.contact@corp.example']);
    book.apply(ZIMBRA, [], ['kim@zimbra.example']);
    expect([...book.entries()]).toMatchObject([{ address: 'kim.contact@corp.example', kind: 'contact', home: 'zimbra', aliases: ['kim@zimbra.example'] }]);
    // The contact stands for somebody at Zimbra, whose directory does not know him any more: by domain.
    expect(book.find(address('kim@zimbra.example'))).toEqual({ address: 'kim@zimbra.example', kind: 'contact', home: undefined, notIn: ['exchange'] });
  });

  it('a foreign principal is not about somebody of the same alias who has a mailbox in Exchange', () => {
    const book = gal();
    put(book, AD, entry('kim@corp.example', { legacyExchangeDn: `${DN}kim` }));
    put(book, ZIMBRA, entry('kim@zimbra.example', { foreignPrincipal: 'kim' }));
    expect(addresses(book)).toEqual(['kim@corp.example', 'kim@zimbra.example']);
  });

  it('two directories of one system say one thing: one row', () => {
    const book = gal();
    put(book, AD, entry('anna@corp.example', { id: '1', name: 'Anna', legacyExchangeDn: `${DN}anna` }));
    put(book, { ...FILE, home: 'exchange' }, entry('anna.a@corp.example', { id: '2', title: 'Head', formerDns: [`${DN}ANNA`] }));
    expect([...book.entries()]).toMatchObject([{ address: 'anna@corp.example', name: 'Anna', title: 'Head', aliases: ['anna.a@corp.example'] }]);
  });

  it('two people with one address: the address is one row, the same whatever came first, and an administrator is told', () => {
    for (const order of [['1', '2'], ['2', '1']]) {
      const book = gal();
      for (const id of order) put(book, AD, entry('info@corp.example', { id, name: `Somebody ${id}` }));
      expect([...book.entries()]).toMatchObject([{ address: 'info@corp.example', name: 'Somebody 1' }]);
      expect(book.conflicts).toEqual(['info@corp.example: two entries of dc.corp.example have this address']);
      book.apply(AD, [], ['2']);
      expect(book.conflicts).toEqual([]);
    }
  });

  it('an address that is somebody\'s primary one is nobody else\'s proxy', () => {
    const book = gal();
    put(book, AD, entry('anna@corp.example', { aliases: ['bernd@corp.example'] }), entry('bernd@corp.example'));
    expect(book.resolve(address('bernd@corp.example'))?.id).toBe([...book.entries()].find((one) => one.address === 'bernd@corp.example')?.id);
    expect(book.resolve(address('anna@corp.example'))?.aliases).toEqual([]);
  });

  it('an alias that hundreds claim holds nobody together', () => {
    const book = gal();
    put(book, AD, ...Array.from({ length: 300 }, (_, i) => entry(`p${i}@corp.example`, { aliases: ['all@corp.example'] })));
    expect(book.size.shown).toBe(300);
  });
});

describe('hidden entries', () => {
  it('are in no answer, and live somewhere all the same', () => {
    const book = gal();
    put(book, AD, entry('boss@shared.example', { isHidden: true, name: 'Boss' }));
    expect([addresses(book), book.resolve(address('boss@shared.example')), book.search({ text: 'boss', limit: 9 }, undefined).entries]).toEqual([[], undefined, []]);
    expect(book.find(address('boss@shared.example'))?.home).toBe('exchange');
    expect(book.size).toEqual({ shown: 0, hidden: 1 });
  });

  it('a hidden contact does not hide the mailbox; a hidden mailbox hides its contact', () => {
    const book = gal();
    put(book, AD, contact('kim@zimbra.example', { isHidden: true }), contact('lee@zimbra.example'));
    put(book, ZIMBRA, entry('kim@zimbra.example'), entry('lee@zimbra.example', { isHidden: true }));
    expect(addresses(book)).toEqual(['kim@zimbra.example']);
  });

  it('one that is hidden later is among those who are gone', () => {
    const book = gal();
    put(book, AD, entry('anna@corp.example'));
    const { id } = [...book.entries()][0]!;
    expect(put(book, AD, entry('anna@corp.example', { isHidden: true })).rowsGone).toEqual([id]);
    expect(put(book, AD, entry('anna@corp.example')).rowsGone).toEqual([]);
    expect(book.byId(id)?.address).toBe('anna@corp.example');
  });
});

describe('who lives where', () => {
  it('in a shared domain the directory decides, mailbox by mailbox', () => {
    const book = gal();
    put(book, AD, entry('anna@shared.example'), contact('kim@shared.example', { targetAddress: 'kim@zimbra.example' }));
    put(book, ZIMBRA, entry('lee@shared.example'));
    expect(book.find(address('anna@shared.example'))?.home).toBe('exchange');
    expect(book.find(address('lee@shared.example'))?.home).toBe('zimbra');
    expect(book.resolve(address('kim@shared.example'))).toMatchObject({ kind: 'contact', home: 'zimbra' });
    expect(book.find(address('kim@shared.example'))).toMatchObject({ address: 'kim@zimbra.example', notIn: ['exchange'] });
    expect(book.find(address('nobody@shared.example'))).toBeUndefined();
  });

  it('two directories that both have the mailbox: nobody knows', () => {
    const book = gal();
    put(book, AD, entry('anna@shared.example'));
    put(book, ZIMBRA, entry('anna@shared.example'));
    expect(book.find(address('anna@shared.example'))?.home).toBeUndefined();
    expect([...book.entries()]).toMatchObject([{ address: 'anna@shared.example', home: undefined }]);
    expect(book.conflicts).toEqual(['anna@shared.example: exchange and zimbra both say that the mailbox is there']);
  });

  it('follows a mailbox that moves', () => {
    const book = gal();
    put(book, AD, entry('anna@shared.example'));
    put(book, ZIMBRA, entry('anna@shared.example'));
    put(book, AD, contact('anna@shared.example', { targetAddress: 'anna@zimbra.example' }));
    expect(book.find(address('anna@shared.example'))?.home).toBe('zimbra');
    expect(book.find(address('anna@zimbra.example'))?.address).toBe('anna@shared.example');
  });

  it('knows people by address, alias and plus-address', () => {
    const book = gal();
    put(book, ZIMBRA, entry('kim@zimbra.example', { aliases: ['k@zimbra.example'] }));
    for (const one of ['kim@zimbra.example', 'k@zimbra.example', 'kim+news@zimbra.example', 'k+a+b@zimbra.example']) expect(book.find(address(one))?.address).toBe('kim@zimbra.example');
    expect(book.find(address('+kim@zimbra.example'))).toBeUndefined();
  });

  it('gives the legacyExchangeDN that a mailbox has in the named Exchange, and reads it backwards', () => {
    const book = gal();
    put(book, AD, contact('kim@zimbra.example', { legacyExchangeDn: `${DN}kim2`, formerDns: [`${DN}old`] }));
    put(book, ZIMBRA, entry('kim@zimbra.example'));
    expect([book.legacyExchangeDn(address('kim@zimbra.example'), 'exchange'), book.legacyExchangeDn(address('kim@zimbra.example'), 'zimbra')]).toEqual([`${DN}kim2`, undefined]);
    expect([book.mailboxOfDn(`${DN}KIM2`.toUpperCase()), book.mailboxOfDn(`${DN}old`), book.mailboxOfDn(`${DN}else`)]).toEqual(['kim@zimbra.example', 'kim@zimbra.example', undefined]);
  });
});

describe('mailboxes that move', () => {
  it('are told by their primary address; whoever is found where the domain says all along is not', () => {
    const book = gal();
    expect(put(book, AD, entry('anna@corp.example'), entry('bernd@shared.example')).moved).toEqual(['bernd@shared.example']);
    expect(put(book, ZIMBRA, entry('kim@corp.example')).moved).toEqual(['kim@corp.example']);
    expect(put(book, ZIMBRA, entry('kim@corp.example', { name: 'Kim' })).moved).toEqual([]);
    expect(book.apply(ZIMBRA, [], ['kim@corp.example']).moved).toEqual(['kim@corp.example']);
    expect(put(book, AD, contact('bernd@shared.example', { targetAddress: 'bernd@zimbra.example' })).moved).toEqual(['bernd@shared.example']);
  });

  it('so is one whose contact has another legacyExchangeDN', () => {
    const book = gal();
    put(book, ZIMBRA, entry('kim@zimbra.example'));
    expect(put(book, AD, contact('kim@zimbra.example', { legacyExchangeDn: `${DN}kim` })).moved).toEqual(['kim@zimbra.example']);
    expect(put(book, AD, contact('kim@zimbra.example', { legacyExchangeDn: `${DN}kim`, name: 'Kim' })).moved).toEqual([]);
    expect(put(book, AD, contact('kim@zimbra.example', { legacyExchangeDn: `${DN}kim2` })).moved).toEqual(['kim@zimbra.example']);
  });
});

describe('groups', () => {
  const group = (text: string, members: readonly string[]) => entry(text, { kind: 'group', members, ref: `cn=${text}` });

  it('are expanded through groups and in circles, each member once', () => {
    const book = gal();
    put(book, AD, entry('anna@corp.example', { ref: 'cn=anna' }), group('a@corp.example', ['cn=anna', 'cn=b@corp.example', 'else@far.example']), group('b@corp.example', ['cn=a@corp.example', 'cn=anna', 'cn=gone']));
    expect(book.expand(address('a@corp.example'), 100)).toEqual({ members: ['anna@corp.example', 'else@far.example'], isTooLarge: false, unknown: 1 });
    expect(book.expand(address('a@corp.example'), 1)).toMatchObject({ isTooLarge: true });
    expect(book.expand(address('anna@corp.example'), 100)).toBeUndefined();
    const { id } = book.resolve(address('a@corp.example'))!;
    expect(book.membersOf(id).map((one) => one.address)).toEqual(['anna@corp.example', 'b@corp.example']);
  });
});

describe('changes', () => {
  it('have the time at which the row became another; one that nobody can tell from the old one has none', () => {
    const clock = new HandClock();
    const book = gal(clock);
    put(book, AD, entry('anna@corp.example', { name: 'Anna' }));
    const began = clock.time;
    clock.time += 1000;
    put(book, AD, entry('anna@corp.example', { name: 'Anna' }));
    put(book, AD, entry('anna@corp.example', { name: 'Anna', formerDns: ['/o=x/cn=y'] }));
    expect(book.resolve(address('anna@corp.example'))).toMatchObject({ modifiedAt: began, createdAt: began });
    put(book, AD, entry('anna@corp.example', { name: 'Anne' }));
    expect(book.resolve(address('anna@corp.example'))).toMatchObject({ name: 'Anne', modifiedAt: began + 1000, createdAt: began });
    expect(book.search({ text: 'anna', limit: 9 }, undefined).entries).toHaveLength(1); // by its address
    expect([...book.entries(began + 1)]).toHaveLength(1);
    expect([...book.entries(began + 1001)]).toHaveLength(0);
  });

  it('keep the id through a rename, and tell of one that is gone', () => {
    const book = gal();
    put(book, AD, entry('anna@corp.example', { id: 'guid', name: 'Anna' }));
    const { id } = book.resolve(address('anna@corp.example'))!;
    expect(put(book, AD, entry('anna.neu@corp.example', { id: 'guid', name: 'Anna Neu' })).rowsGone).toEqual([]);
    expect(book.resolve(address('anna.neu@corp.example'))?.id).toBe(id);
    expect(book.resolve(address('anna@corp.example'))).toBeUndefined();
    expect(book.apply(AD, [], ['guid', 'never there'])).toEqual({ records: [], removed: ['guid'], rowsGone: [id], moved: [] });
    expect(book.size).toEqual({ shown: 0, hidden: 0 });
  });
});
