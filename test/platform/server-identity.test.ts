import { checkServerIdentity as nodes } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { ServerIdentityError, checkServerIdentity } from '../../src/platform/server-identity.ts';
import type { NameCheck } from '../../src/platform/server-identity.ts';

/** As Node hands certificates to `tls.connect`'s check. */
const certificate = (cn: string | readonly string[] | undefined, san?: string) => ({ subject: { CN: cn }, subjectaltname: san }) as unknown as PeerCertificate;
const accepts = (host: string, cn: string | readonly string[] | undefined, san?: string, mode: NameCheck = 'san-then-cn'): boolean => checkServerIdentity(mode)(host, certificate(cn, san)) === undefined;

describe('the names of a certificate', () => {
  it.each([
    // host, CN, SAN, whether san-then-cn, whether cn-only
    ['ews.corp.example', 'ews.corp.example', undefined, true, true],
    ['EWS.corp.example', 'ews.CORP.example', undefined, true, true],
    ['ews.corp.example.', 'ews.corp.example', undefined, true, true],
    ['ews.corp.example', 'other.corp.example', undefined, false, false],
    ['ews.corp.example', undefined, undefined, false, false],
    ['ews.corp.example', undefined, 'DNS:ews.corp.example', true, false],
    ['ews.corp.example', 'ews.corp.example', 'DNS:other.corp.example', false, true],
    ['ews.corp.example', 'other.corp.example', 'DNS:a.example, DNS:EWS.corp.example', true, false],
    // Only DNS names and addresses are a server's names; where there are none, the common name is all there is.
    ['ews.corp.example', 'ews.corp.example', 'email:me@corp.example, URI:https://ews.corp.example/', true, true],
    ['ews.corp.example', 'ews.corp.example', 'IP Address:192.0.2.7', false, true],
    // A wildcard is one whole label, the left-most (A15).
    ['x.cup.cisco.com', '*.cup.cisco.com', undefined, true, true],
    ['cup.cisco.com', '*.cup.cisco.com', undefined, false, false],
    ['y.x.cup.cisco.com', '*.cup.cisco.com', undefined, false, false],
    ['x.cup.cisco.com', undefined, 'DNS:*.CUP.cisco.com', true, false],
    ['cup.cisco.com', undefined, 'DNS:*.cup.cisco.com', false, false],
    ['y.x.cup.cisco.com', undefined, 'DNS:*.cup.cisco.com', false, false],
    ['ews1.corp.example', 'ews*.corp.example', undefined, false, false],
    ['ews1.corp.example', undefined, 'DNS:*1.corp.example', false, false],
    ['a.ews.example', 'a.*.example', undefined, false, false],
    ['corp.example', '*.example', undefined, false, false],
    ['corp', '*', undefined, false, false],
    ['x.corp.example', '*.*.example', undefined, false, false],
    // Addresses: in the common name where there is nothing else (A16, A17), which Node does not take; never by a wildcard.
    ['192.0.2.7', '192.0.2.7', undefined, true, true],
    ['192.0.2.7', 'ews', 'IP Address:192.0.2.7', true, false],
    ['192.0.2.7', '192.0.2.7', 'IP Address:192.0.2.8', false, true],
    ['192.0.2.7', '192.0.2.7', 'DNS:ews.corp.example', false, true],
    ['192.0.2.7', undefined, 'DNS:192.0.2.7', false, false],
    ['192.0.2.7', '*.0.2.7', undefined, false, false],
    ['192.0.2.7', undefined, 'DNS:*.0.2.7', false, false],
    ['2001:db8::7', '2001:DB8:0:0::7', undefined, true, true],
    ['[2001:db8::7]', undefined, 'IP Address:2001:DB8:0:0:0:0:0:7', true, false],
    ['2001:db8::7', undefined, 'IP Address:2001:DB8:0:0:0:0:0:8', false, false],
    ['127.0.0.1', '0x7f.1', undefined, false, false],
    // International names: DNS entries are punycode, a common name may be as people write it.
    ['xn--bcher-kva.example', 'bücher.example', undefined, true, true],
    ['xn--bcher-kva.example', 'BÜCHER.example', undefined, true, true],
    ['bücher.example', undefined, 'DNS:xn--bcher-kva.example', true, false],
    ['x.xn--bcher-kva.example', '*.bücher.example', undefined, true, true],
    ['xn--bcher-kva.example', 'xn--*.example', undefined, false, false],
    // Hostile names.
    ['ews.corp.example', 'ews.corp.example\0.evil.example', undefined, false, false],
    ['ews.corp.example', undefined, 'DNS:"ews.corp.example, DNS:evil.example"', false, false],
    ['evil.example', undefined, 'DNS:"ews.corp.example, DNS:evil.example"', false, false],
    ['evil.example', undefined, 'URI:"https://x/, DNS:evil.example"', false, false],
    ['', '', undefined, false, false],
    ['', undefined, 'DNS:', false, false],
  ] as const)('%s: CN %s, SAN %s: %s, cn-only %s', (host, cn, san, both, only) => {
    expect([accepts(host, cn, san), accepts(host, cn, san, 'cn-only')]).toEqual([both, only]);
  });

  it('may be several common names, or no subject at all', () => {
    expect(accepts('b.example', ['a.example', 'b.example'])).toBe(true);
    expect(checkServerIdentity('san-then-cn')('b.example', { subject: null, subjectaltname: 'DNS:b.example' } as unknown as PeerCertificate)).toBeUndefined();
    expect(checkServerIdentity('cn-only')('b.example', { subject: null } as unknown as PeerCertificate)).toBeInstanceOf(ServerIdentityError);
  });

  it('are told where they are others, under the code that Node has for it', () => {
    const error = checkServerIdentity('san-then-cn')('ews.corp.example', certificate('ews.corp.example', 'DNS:a.example, IP Address:192.0.2.7'));
    expect(error).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', expected: 'ews.corp.example', found: ['a.example', '192.0.2.7'] });
    expect(checkServerIdentity('cn-only')('a.example', certificate('ews.corp.example', 'DNS:a.example'))).toMatchObject({ found: ['ews.corp.example'] });
  });

  it('are judged as Node judges them, but for what is written down above', () => {
    const random = generator(20_261_129);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
    const label = (): string => pick(['a', 'B', 'ews', 'Ews', 'xn--bcher-kva', '1', 'x-y']);
    const name = (): string => Array.from({ length: 1 + Math.floor(random() * 4) }, label).join('.');
    const pattern = (): string => (random() < 0.4 ? `*.${name()}` : name());
    let accepted = 0;
    for (let count = 0; count < 20_000; count++) {
      const cn = random() < 0.8 ? pattern() : undefined;
      const dns = Array.from({ length: Math.floor(random() * 3) }, pattern);
      const host = random() < 0.5 ? name() : pick([...dns, cn ?? 'a']).replace('*', label());
      const one = certificate(cn, dns.length === 0 ? undefined : dns.map((entry) => `DNS:${entry}`).join(', '));
      const ours = checkServerIdentity('san-then-cn')(host, one) === undefined;
      const theirs = nodes(host, one) === undefined;
      expect({ host, cn, dns, accepted: ours }).toEqual({ host, cn, dns, accepted: theirs });
      accepted += ours ? 1 : 0;
    }
    expect(accepted).toBeGreaterThan(2_000);
  });
});

/** Numbers from 0 to 1, the same in every run (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
