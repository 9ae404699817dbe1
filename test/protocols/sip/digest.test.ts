import { describe, expect, it } from 'vitest';
import type { SipResponse } from '../../../src/protocols/sip/message.ts';
import { chooseChallenge, digestAnswer } from '../../../src/protocols/sip/digest.ts';
import { SignIn } from '../../../src/protocols/sip/sign-in.ts';

const responseOf = (header: string): string => /response="([^"]+)"/.exec(header)![1]!;

describe('digest', () => {
  // RFC 7616 §3.9.1: both challenges, one answer each.
  const RFC_7616 = ['SHA-256', 'MD5'].map((algorithm) => `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`);
  const MUFASA = { username: 'Mufasa', password: 'Circle of Life', method: 'GET', uri: '/dir/index.html', count: 1, cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ' };

  it('answers as the example of RFC 7616 does', () => {
    const [sha256, md5] = RFC_7616.map((line) => digestAnswer(chooseChallenge([line])!, MUFASA));
    expect(responseOf(md5!)).toBe('8ca523f5e9506fed4657c9700eebdbec');
    expect(responseOf(sha256!)).toBe('753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
    expect(sha256).toContain('opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, nc=00000001');
  });

  it('answers as the example of RFC 2617 §3.5 does', () => {
    const challenge = chooseChallenge(['Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'])!;
    expect(responseOf(digestAnswer(challenge, { ...MUFASA, password: 'Circle Of Life', cnonce: '0a4f113b' }))).toBe('6629fae49393a05397450978507c4ef1');
  });

  it('takes the first challenge that it can answer (RFC 8760 §2.4)', () => {
    expect(chooseChallenge(['Basic realm="x"', 'Digest realm="a", nonce="n", algorithm=SHA-999', ...RFC_7616])?.algorithm).toBe('SHA-256');
    expect(chooseChallenge([...RFC_7616].reverse())?.algorithm).toBe('MD5');
    expect(chooseChallenge(['digest  REALM="a\\"b, c" , Nonce = "n;=" ,stale=TRUE'])).toEqual({ realm: 'a"b, c', nonce: 'n;=', algorithm: 'MD5', algorithmName: undefined, opaque: undefined, hasQop: false, isStale: true });
  });

  it.each([
    ['no challenge', ''],
    ['no nonce', 'Digest realm="a"'],
    ['no realm', 'Digest nonce="a"'],
    ['only auth-int', 'Digest realm="a", nonce="b", qop="auth-int"'],
    ['a session algorithm', 'Digest realm="a", nonce="b", algorithm=MD5-sess'],
  ])('does not answer %s', (_what, line) => {
    expect(chooseChallenge([line])).toBeUndefined();
  });
});

describe('a sign-in', () => {
  const challenge = (nonce: string, more = ''): SipResponse => ({ kind: 'response', status: 401, reason: 'Unauthorized', headers: [{ name: 'www-authenticate', value: `Digest realm="r", nonce="${nonce}", qop="auth"${more}` }], body: new Uint8Array(0) });
  const answers = (signIn: SignIn): string => signIn.headersFor('PUBLISH', 'sip:a@b').map((one) => `${one.name} ${/nonce="[^"]*"/.exec(one.value)![0]} ${/nc=\d+/.exec(one.value)![0]}`).join();

  it('is used again, with a count that grows', () => {
    const signIn = new SignIn('u', 'p');
    expect(answers(signIn)).toBe('');
    signIn.take(401, challenge('1'), false);
    expect(answers(signIn)).toBe('Authorization nonce="1" nc=00000001');
    expect(answers(signIn)).toBe('Authorization nonce="1" nc=00000002');
    // Another request was given the same nonce.
    signIn.take(401, challenge('1'), false);
    expect(answers(signIn)).toBe('Authorization nonce="1" nc=00000003');
    signIn.take(401, challenge('2', ', stale=true'), true);
    expect(answers(signIn)).toBe('Authorization nonce="2" nc=00000001');
  });

  it('is refused when the server’s own nonce, freshly answered, is not good enough', () => {
    const signIn = new SignIn('u', 'p');
    signIn.take(401, challenge('1'), false);
    expect(() => signIn.take(401, challenge('2'), true)).toThrow(expect.objectContaining({ code: 'BACKEND_AUTH', temporary: false }) as Error);
    expect(answers(signIn)).toBe('');
  });

  it('of nobody answers no challenge', () => {
    expect(() => new SignIn(undefined, undefined).take(401, challenge('1'), false)).toThrow(expect.objectContaining({ code: 'BACKEND_AUTH' }) as Error);
  });
});
