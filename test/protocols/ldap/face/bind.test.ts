import { describe, expect, it } from 'vitest';
import { BerReader } from '../../../../src/protocols/ldap/ber-read.ts';
import { bind } from '../../../../src/protocols/ldap/face/bind.ts';
import { bindRequest } from './raw-client.ts';
import { requesterNamed } from './world.ts';

describe('a bind over a connection that others can read', () => {
  const context = (isConfidential: boolean, seen: string[]): Parameters<typeof bind>[1] => ({
    signIn: { withPassword: async (username) => (seen.push(username), requesterNamed(username, 'search')) },
    baseName: [[['dc', 'bridge']]],
    address: '192.0.2.1',
    isConfidential,
  });
  const content = (name: string, password: string): BerReader => new BerReader(bindRequest(name, password)).element().content;

  it('is refused before its password is looked at; an anonymous one is not', async () => {
    const seen: string[] = [];
    expect(await bind(content('cn=zimbra,dc=bridge', 'secret'), context(false, seen))).toEqual({ result: { code: 13, message: 'passwords over TLS only' }, requester: undefined });
    expect(await bind(content('', ''), context(false, seen))).toMatchObject({ result: { code: 0 }, requester: undefined });
    expect(seen).toEqual([]);
    expect(await bind(content('cn=zimbra,dc=bridge', 'secret'), context(true, seen))).toMatchObject({ result: { code: 0 }, requester: { name: 'zimbra' } });
  });

  it('with a name or password of 10,000 characters, or that is no UTF-8, is a protocol error', async () => {
    await expect(bind(content('x'.repeat(10_000), 'y'), context(true, []))).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(bind(new BerReader(Buffer.from('020103040178800 2fffe'.replace(' ', ''), 'hex')), context(true, []))).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });
});
