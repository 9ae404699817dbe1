import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../../../src/core/limits.ts';
import { Authority } from '../../../platform/certificates.ts';
import { PRESENT, RawClient, bindRequest, request, searchRequest, tlv } from './raw-client.ts';
import { PASSWORD, openFace } from './world.ts';
import type { FaceWorld } from './world.ts';

const START_TLS = tlv(0x77, tlv(0x80, '1.3.6.1.4.1.1466.20037'));

let authority: Authority;
let face: FaceWorld;
beforeAll(async () => {
  authority = new Authority('StartTLS');
  face = await openFace({ tls: { ...authority.issue('/CN=127.0.0.1', 'IP:127.0.0.1', 5), implicit: false } });
});
afterAll(async () => {
  await face?.listener.close(100);
  authority.remove();
});

describe('StartTLS', () => {
  it('ends a connection on which something came behind it in plain', async () => {
    const client = await RawClient.open(face.port);
    client.say(request(1, START_TLS), request(2, bindRequest('zimbra', PASSWORD)));
    await client.closed;
    expect(client.messages()).toMatchObject([{ id: 0, tag: 0x78, code: 2 }]);
    expect(face.signIns).toEqual([]);
  });

  it('begins once, forgets who had bound, and every connection is counted until it is gone', async () => {
    for (let round = 0; round < LIMITS.ldapConnectionsPerAddress + 5; round++) {
      const plain = connect(face.port, '127.0.0.1');
      await once(plain, 'connect');
      if (round > 3) {
        // Breaks off within the handshake.
        plain.write(request(1, START_TLS));
        await once(plain, 'data');
        plain.destroy();
        continue;
      }
      plain.write(request(1, bindRequest('zimbra', PASSWORD)));
      await once(plain, 'data');
      plain.write(request(2, START_TLS));
      await once(plain, 'data');
      const secure = connectTls({ socket: plain, ca: authority.certificate, host: '127.0.0.1' });
      await once(secure, 'secureConnect');
      secure.write(request(3, searchRequest('dc=bridge', 0, PRESENT)));
      const [refused] = (await once(secure, 'data')) as [Buffer];
      expect(refused.toString('latin1')).toContain('bind first');
      secure.write(request(4, START_TLS));
      const [again] = (await once(secure, 'data')) as [Buffer];
      // operationsError
      expect(again.toString('hex')).toContain('0a0101');
      secure.destroy();
    }
    const last = await RawClient.open(face.port);
    last.say(request(1, bindRequest('zimbra', PASSWORD)));
    expect(await last.until(1)).toMatchObject([{ code: 0 }]);
    last.end();
  });
});

describe('a client that says nothing, or says it slowly', () => {
  it.each<[string, Buffer, number]>([
    ['nothing', Buffer.alloc(0), LIMITS.ldapIdleBeforeBindMs],
    ['half a message', Buffer.from('3010', 'hex'), LIMITS.ldapMessageMs],
  ])('%s', async (_what, bytes, ms) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const client = await RawClient.open(face.port);
      client.say(bytes);
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(ms - 1_000);
      // One more octet gives no more time.
      if (bytes.length > 0) client.say(Buffer.of(0x02));
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(client.messages()).toEqual([]);
      vi.advanceTimersByTime(1_001);
      for (let turn = 0; turn < 200 && client.messages().length === 0; turn++) await new Promise((resolve) => setImmediate(resolve));
      expect(client.messages()).toMatchObject([{ id: 0, tag: 0x78, code: 52 }]);
      client.end();
    } finally {
      vi.useRealTimers();
    }
  });
});
