import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import { AutodiscoverClient } from '../../../src/protocols/autodiscover/client.ts';
import { ASKER_BASIC } from '../face-under-test.ts';
import type { FaceUnderTest } from '../face-under-test.ts';
import { EWS_URL, openFace } from './face.ts';

// The third judge only: two readings of one sheet by the same house.

let face: FaceUnderTest;
beforeAll(async () => {
  face = await openFace();
});
afterAll(async () => face.close());

const [username = '', password = ''] = Buffer.from(ASKER_BASIC.slice('Basic '.length), 'base64').toString().split(':');

async function find(path: string, mailbox = 'zoe@zimbra.example', secret = password): Promise<readonly string[]> {
  const client = new AutodiscoverClient({
    name: 'zimbra',
    mailbox: parseMailboxAddress(mailbox)!,
    url: new URL(path, face.url),
    authentications: [{ kind: 'basic', username, password: secret }],
    hosts: ['fb.zimbra.example'],
    clock: systemClock,
    logger: silentLogger,
  });
  try {
    return (await client.find(new AbortController().signal)).map((url) => url.href);
  } finally {
    await client.close();
  }
}

describe('our own face, over plain http on loopback', () => {
  it.each(['/autodiscover/autodiscover.svc', '/autodiscover/autodiscover.xml', '/autodiscover/autodiscover.json', '/'])('%s says where EWS is', async (path) => {
    expect(await find(path)).toEqual([EWS_URL]);
  });

  it.each(['/autodiscover/autodiscover.svc', '/autodiscover/autodiscover.xml', '/autodiscover/autodiscover.json'])('%s knows nobody elsewhere, and lets nobody in with a wrong password', async (path) => {
    await expect(find(path, 'eve@elsewhere.example')).rejects.toMatchObject({ code: 'BACKEND_FAULT', details: { responseCode: 'unknown-mailbox' } });
    await expect(find(path, 'zoe@zimbra.example', 'wrong')).rejects.toMatchObject({ code: 'BACKEND_AUTH' });
  });
});
