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

describe('bad directories', () => {
  it('a chain of thousands, each with an address of the next, is taken in at the pace of others, and holds nobody together', () => {
    const book = gal();
    const chain = Array.from({ length: 5_000 }, (_, i) => contact(`c${i}@corp.example`, { aliases: [`c${i + 1}@corp.example`] }));
    const began = performance.now();
    for (let at = 0; at < chain.length; at += 250) put(book, AD, ...chain.slice(at, at + 250));
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(book.size.shown).toBeGreaterThan(4_500);
    for (let at = 0; at < chain.length; at += 250) book.apply(AD, [], chain.slice(at, at + 250).map(({ id }) => id));
    expect([book.size, book.conflicts]).toEqual([{ shown: 0, hidden: 0 }, []]);
  });

  it('entries with hundreds of addresses each that share them are sorted at once', () => {
    const book = gal();
    const aliases = (from: number) => Array.from({ length: 200 }, (_, i) => `a${from * 150 + i}@corp.example`);
    const people = Array.from({ length: 180 }, (_, i) => (i % 2 === 0 ? entry : contact)(`p${i}@corp.example`, { aliases: aliases(i) }));
    const began = performance.now();
    put(book, AD, ...people);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(book.find(address('p4@corp.example'))?.home).toBe('exchange');
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

describe('whoever writes into one directory', () => {
  const at = (book: ReturnType<typeof gal>, text: string) => {
    const { address: as, home, claimedBy } = book.find(address(text)) ?? {};
    return claimedBy ?? (as === undefined ? undefined : `${home} as ${as}`);
  };

  it.each([
    ['has an alias equal to an alias there', { aliases: ['chief@corp.example'] }],
    ['has an alias equal to the primary address there', { aliases: ['boss@corp.example'] }],
  ])('takes nobody\'s calendar in the other: a mailbox %s', (_what, keys) => {
    for (const [first, second] of [[AD, ZIMBRA], [{ ...AD, rank: 2 }, ZIMBRA]] as const) {
      const book = gal();
      put(book, second, entry('eve@zimbra.example', keys));
      put(book, first, entry('boss@corp.example', { aliases: ['chief@corp.example'] }));
      expect([at(book, 'boss@corp.example'), at(book, 'chief@corp.example')]).toEqual(['exchange as boss@corp.example', 'exchange as boss@corp.example']);
      expect(book.conflicts).toEqual([expect.stringMatching(/^(boss|chief)@corp\.example: .* both say that it is theirs$/)]);
    }
  });

  it('a primary address that is an alias in its own domain\'s directory: nobody knows', () => {
    const book = gal();
    put(book, AD, entry('boss@corp.example', { aliases: ['chief@corp.example'] }));
    put(book, ZIMBRA, entry('chief@corp.example'));
    expect([at(book, 'chief@corp.example'), at(book, 'boss@corp.example')]).toEqual([['exchange', 'zimbra'], 'exchange as boss@corp.example']);
  });

  it('speaks for no address of the other\'s domain by aliases and contacts, but where a directory of it, or one of no system, says so too', () => {
    const book = gal();
    put(book, ZIMBRA, entry('eve@zimbra.example', { aliases: ['boss@corp.example'] }), contact('head@corp.example', { targetAddress: 'eve@zimbra.example' }), contact('ceo@corp.example', { targetAddress: 'intern@corp.example' }));
    expect(['boss@corp.example', 'head@corp.example', 'ceo@corp.example'].map((one) => at(book, one))).toEqual([undefined, undefined, undefined]);
    expect(at(book, 'eve@zimbra.example')).toBe('zimbra as eve@zimbra.example');
    put(book, AD, contact('boss@corp.example', { targetAddress: 'eve@zimbra.example' }));
    put(book, FILE, contact('head@corp.example', { targetAddress: 'eve@zimbra.example' }));
    expect(['boss@corp.example', 'head@corp.example'].map((one) => at(book, one))).toEqual(['zimbra as eve@zimbra.example', 'zimbra as eve@zimbra.example']);
  });

  it('takes nobody\'s legacyExchangeDN: not by a foreign principal, and who says that it is his own leaves it nobody\'s', () => {
    const book = gal();
    put(book, ZIMBRA, entry('eve@zimbra.example', { foreignPrincipal: `${DN}boss` }));
    put(book, AD, entry('boss@corp.example', { legacyExchangeDn: `${DN}boss` }));
    expect([book.mailboxOfDn(`${DN}boss`), book.byDn(`${DN}BOSS`)?.address]).toEqual(['boss@corp.example', 'boss@corp.example']);
    put(book, ZIMBRA, entry('eve@zimbra.example', { legacyExchangeDn: `${DN}boss` }));
    expect([book.mailboxOfDn(`${DN}boss`), book.legacyExchangeDn(address('eve@zimbra.example'), 'exchange')]).toEqual([undefined, undefined]);
  });

  it('an alias that hundreds have is nobody\'s to answer for; a primary address is its mailbox\'s whoever else has it', () => {
    const book = gal();
    put(book, ZIMBRA, ...Array.from({ length: 50 }, (_, i) => entry(`p${i}@zimbra.example`, { aliases: ['all@zimbra.example', 'boss@corp.example'] })));
    put(book, AD, entry('boss@corp.example'));
    expect([at(book, 'all@zimbra.example'), at(book, 'boss@corp.example'), book.resolve(address('boss@corp.example'))?.home]).toEqual([undefined, 'exchange as boss@corp.example', 'exchange']);
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
    expect(book.apply(AD, [], ['guid', 'never there'])).toEqual({ records: [], removed: ['guid'], rowsGone: [id], rowsLessened: [], moved: [] });
    expect(book.size).toEqual({ shown: 0, hidden: 0 });
  });
});
