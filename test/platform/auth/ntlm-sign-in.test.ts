import { createCipheriv } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { AddressSet } from '../../../src/platform/auth/address-set.ts';
import { md4 } from '../../../src/platform/auth/ntlm/md4.ts';
import { answerTo, NEGOTIATE } from './ntlm-peer.ts';
import type { Answer } from './ntlm-peer.ts';
import { ACCOUNTS, BOTH, ONLY, PLAIN, serve } from './ntlm-serving.ts';
import { basic } from './signing-in.ts';

/** The pauses that were asked for; none is really made. */
const pauses: number[] = [];
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<Record<string, unknown>>()),
  setTimeout: async (ms: number): Promise<void> => {
    pauses.push(ms);
    await new Promise((resolve) => setImmediate(resolve));
  },
}));

const BASIC = 'Basic realm="freebusy-bridge"';
const challengeOf = ({ headers }: Answer): string => headers['www-authenticate'] ?? '';

describe('what a 401 asks for', () => {
  it('is NTLM first and then Basic, where some client lists each; in a handshake NTLM alone', async () => {
    const connection = (await serve()).connect();
    const first = await connection.ask();
    expect([first.status, challengeOf(first)]).toEqual([401, `NTLM, ${BASIC}`]);
    const second = await connection.ask({ authorization: NEGOTIATE });
    expect([second.status, challengeOf(second)]).toEqual([401, expect.stringMatching(/^NTLM TlRMTVNTUAACAAAA[A-Za-z0-9+/]+=*$/)]);
  });

  it.each([
    ['Basic where nobody lists ntlm', [PLAIN], BASIC],
    ['NTLM where nobody lists basic', [ONLY], 'NTLM'],
    ['Basic where there is nobody at all', [], BASIC],
  ])('is %s', async (_what, accounts, challenge) => {
    expect(challengeOf(await (await serve(accounts)).connect().ask())).toBe(challenge);
  });
});

describe('a handshake', () => {
  it.each([
    ['CORP', 'both', 'pw-both', 'both'],
    ['corp', 'BOTH', 'pw-both', 'both'],
    ['', 'CORP\\both', 'pw-both', 'both'],
    ['', 'only@corp.example', 'pw-only', 'only'],
    ['', 'ONLY@Corp.Example', 'pw-only', 'only'],
    ['corp.example', 'only', 'pw-only', 'only'],
    ['FREEBUSY-BRIDGE', 'only@corp.example', 'pw-only', 'only'],
  ])('as %s\\%s signs in', async (domain, username, password, name) => {
    const answer = await (await serve()).connect().signIn(username, password, domain);
    expect([answer.status, answer.body]).toEqual([200, name]);
  });

  it('takes a user name without a domain from every domain, which Windows adds by itself', async () => {
    const account = { ...BOTH, credentials: { username: 'bridge', password: 'pw-both' } };
    for (const [domain, username] of [['', 'bridge'], ['DESK-17', 'Bridge'], ['', 'bridge@corp.example'], ['', 'CORP\\bridge']] as const) {
      expect((await (await serve([account])).connect().signIn(username, 'pw-both', domain)).status).toBe(200);
    }
  });

  it('is by the name as it stands, before any other that it could mean', async () => {
    const named = (name: string, username: string) => ({ ...BOTH, requester: { ...BOTH.requester, name }, credentials: { username, password: `pw-${name}` } });
    const served = await serve([named('mail', 'desk@corp'), named('domain', 'CORP\\desk')]);
    expect((await served.connect().signIn('desk@corp', 'pw-mail')).body).toBe('mail');
    expect((await served.connect().signIn('CORP\\desk', 'pw-domain')).body).toBe('domain');
    expect((await served.connect().signIn('desk', 'pw-domain', 'corp')).body).toBe('domain');
  });

  it.each([
    ['a wrong password', 'both', 'pw-wrong', 'CORP', 'wrong password'],
    ['no password', 'both', '', 'CORP', 'wrong password'],
    ['an unknown name', 'nobody', 'pw-both', 'CORP', 'no client has this user name, with or without the domain CORP'],
    ['a known name in another domain', 'both', 'pw-both', 'OTHER', 'no client has this user name, with or without the domain OTHER'],
    ['the name of a client that may only use Basic', 'plain', 'pw-plain', '', 'its auth does not list ntlm'],
    ['no name', '', '', '', 'no client has this user name'],
  ])('with %s is refused, and the log says why', async (_what, username, password, domain, reason) => {
    const served = await serve();
    const connection = served.connect();
    const answer = await connection.signIn(username, password, domain);
    expect([answer.status, challengeOf(answer), answer.body]).toEqual([401, `NTLM, ${BASIC}`, 'wrong user name or password']);
    expect(served.reasons).toEqual(['an NTLM handshake begins', reason]);
    expect((await connection.ask()).status).toBe(401);
  });

  it('signs in the connection: what follows on it needs no header, what comes on another does', async () => {
    const served = await serve();
    const connection = served.connect();
    const { port } = await connection.signIn('both', 'pw-both', 'CORP');
    for (const method of ['GET', 'POST', 'PROPFIND']) expect(await connection.ask({ method, body: method === 'GET' ? '' : 'x' })).toMatchObject({ status: 200, body: 'both', port });
    expect((await served.connect().ask()).status).toBe(401);
  });

  it('may be begun anew; then the connection is nobody\'s until it ends well', async () => {
    const connection = (await serve()).connect();
    await connection.signIn('both', 'pw-both', 'CORP');
    await connection.ask({ authorization: NEGOTIATE });
    expect((await connection.ask()).status).toBe(401);
    expect((await connection.signIn('only@corp.example', 'pw-only')).body).toBe('only');
    expect((await connection.ask()).body).toBe('only');
    expect((await connection.signIn('only@corp.example', 'wrong')).status).toBe(401);
    expect((await connection.ask()).status).toBe(401);
  });

  it('gives way to Basic in a request, and stays', async () => {
    const connection = (await serve()).connect();
    await connection.signIn('both', 'pw-both', 'CORP');
    expect((await connection.ask({ authorization: basic('plain', 'pw-plain') })).body).toBe('plain');
    expect((await connection.ask({ authorization: basic('plain', 'wrong') })).status).toBe(401);
    expect((await connection.ask()).body).toBe('both');
  });

  it('answers a challenge once, in time, and on its own connection', async () => {
    const served = await serve();
    const [one, two] = [served.connect(), served.connect()];
    const answer = answerTo(challengeOf(await one.ask({ authorization: NEGOTIATE })), 'both', 'pw-both', 'CORP');
    expect((await two.ask({ authorization: answer })).status).toBe(401);
    await two.ask({ authorization: NEGOTIATE });
    expect((await two.ask({ authorization: answer })).status).toBe(401);
    expect((await one.ask({ authorization: answer })).status).toBe(200);
    expect((await one.ask({ authorization: answer })).status).toBe(401);
    expect((await one.ask()).status).toBe(401);

    const late = answerTo(challengeOf(await one.ask({ authorization: NEGOTIATE })), 'both', 'pw-both', 'CORP');
    served.clock.at += LIMITS.ntlmChallengeMs + 1;
    expect((await one.ask({ authorization: late })).status).toBe(401);
    const inTime = answerTo(challengeOf(await one.ask({ authorization: NEGOTIATE })), 'both', 'pw-both', 'CORP');
    served.clock.at += LIMITS.ntlmChallengeMs;
    expect((await one.ask({ authorization: inTime })).status).toBe(200);

    // A clock that is set back must not make a challenge live for longer.
    const setBack = answerTo(challengeOf(await one.ask({ authorization: NEGOTIATE })), 'both', 'pw-both', 'CORP');
    served.clock.at -= 3_600_000;
    expect((await one.ask({ authorization: setBack })).status).toBe(401);
  });

  it('used up by a wrong answer cannot be answered rightly', async () => {
    const connection = (await serve()).connect();
    const challenge = challengeOf(await connection.ask({ authorization: NEGOTIATE }));
    expect((await connection.ask({ authorization: answerTo(challenge, 'both', 'wrong', 'CORP') })).status).toBe(401);
    expect((await connection.ask({ authorization: answerTo(challenge, 'both', 'pw-both', 'CORP') })).status).toBe(401);
  });

  it('of a client whose clock is more than 36 hours off is refused ([MS-NLMP] 3.2.5.1.2)', async () => {
    for (const [hours, status] of [[-37, 401], [-35, 200], [35, 200], [37, 401]] as const) {
      const served = await serve();
      served.clock.at += hours * 3_600_000;
      expect([hours, (await served.connect().signIn('both', 'pw-both', 'CORP')).status]).toEqual([hours, status]);
    }
  });

  it('in NTLMv1 is refused with the right password', async () => {
    const served = await serve();
    const connection = served.connect();
    const challenge = Buffer.from(challengeOf(await connection.ask({ authorization: NEGOTIATE })).slice(5), 'base64');
    // No client here does it any more (Debian's jcifs and HttpClient when told to, Windows by policy): the right answer of [MS-NLMP] 3.3.1.
    const answer = Buffer.from(answerTo(`NTLM ${challenge.toString('base64')}`, 'both', 'pw-both', 'CORP').slice(5), 'base64');
    ntlmV1Response('pw-both', challenge.subarray(24, 32)).copy(answer, answer.readUInt32LE(24));
    answer.writeUInt16LE(24, 20);
    expect((await connection.ask({ authorization: `NTLM ${answer.toString('base64')}` })).status).toBe(401);
    expect(served.reasons.at(-1)).toBe('NTLMv1, LM or no response; only NTLMv2 is taken');
  });

  it.each(['NTLM', 'NTLM ', 'NTLM !', 'NTLM TlRMTVNTUAA=', 'NTLM TlRMTVNTUAACAAAAAAAAAA==', `NTLM ${'A'.repeat(5_000)}`, 'NTLM TlRMTVNTUAADAAAA', `${NEGOTIATE}, ${NEGOTIATE}`, 'Negotiate TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAA=', 'NTLMv2 TlRMTVNTUAABAAAA'])(
    'is not begun by %.40j, even where an anonymous client could come',
    async (authorization) => {
      const local = { requester: { ...PLAIN.requester, name: 'local', anonymous: true }, addresses: new AddressSet(['127.0.0.1']) };
      const connection = (await serve([...ACCOUNTS, local])).connect();
      expect((await connection.ask()).body).toBe('local');
      expect(await connection.ask({ authorization })).toMatchObject({ status: 401, headers: { 'www-authenticate': `NTLM, ${BASIC}` } });
      // And an anonymous client's address is no hindrance to signing in.
      expect((await connection.signIn('both', 'pw-both', 'CORP')).body).toBe('both');
      expect((await connection.ask()).body).toBe('both');
    },
  );

  it('is not taken where no client lists ntlm', async () => {
    const connection = (await serve([PLAIN])).connect();
    expect(await connection.ask({ authorization: NEGOTIATE })).toMatchObject({ status: 401, headers: { 'www-authenticate': BASIC } });
  });

  it('is the only way for a client that lists nothing else', async () => {
    const served = await serve();
    expect((await served.connect().ask({ authorization: basic('only@corp.example', 'pw-only') })).status).toBe(401);
    expect(served.reasons.at(-1)).toBe('its auth does not list basic');
  });
});

/** DESL of the NT hash ([MS-NLMP] 3.3.1, 6): three DES keys of seven bytes, the last one mostly zeros. Triple DES of one key thrice is DES. */
function ntlmV1Response(password: string, challenge: Buffer): Buffer {
  const hash = Buffer.concat([md4(Buffer.from(password, 'utf16le')), Buffer.alloc(5)]);
  return Buffer.concat([0, 7, 14].map((at) => {
    const bits = BigInt(`0x${hash.subarray(at, at + 7).toString('hex')}`);
    const key = Buffer.from(Array.from({ length: 8 }, (_, index) => Number((bits >> BigInt(49 - index * 7)) & 0x7fn) << 1));
    const cipher = createCipheriv('des-ede3', Buffer.concat([key, key, key]), null).setAutoPadding(false);
    return Buffer.concat([cipher.update(challenge), cipher.final()]);
  }));
}

it('the NTLMv1 answer of these tests is that of [MS-NLMP] 4.2.2.2.1', () => {
  expect(ntlmV1Response('Password', Buffer.from('0123456789abcdef', 'hex')).toString('hex')).toBe('67c43011f30298a2ad35ece64f16331c44bdbed927841f94');
});

describe('after a reload a connection', () => {
  it('stays signed in where nothing of its client has changed', async () => {
    const served = await serve();
    const connection = served.connect();
    await connection.signIn('both', 'pw-both', 'CORP');
    served.reload([{ ...BOTH, requester: { ...BOTH.requester, detail: 'details' } }]);
    expect((await connection.ask()).body).toBe('both');
  });

  it('may answer the challenge that it was given before', async () => {
    const served = await serve();
    const connection = served.connect();
    const challenge = challengeOf(await connection.ask({ authorization: NEGOTIATE }));
    served.reload(ACCOUNTS);
    expect((await connection.ask({ authorization: answerTo(challenge, 'both', 'pw-both', 'CORP') })).status).toBe(200);
  });

  it.each([
    ['is removed', [ONLY]],
    ['has another password', [ONLY, { ...BOTH, credentials: { username: 'CORP\\both', password: 'pw-new' } }]],
    ['has another user name', [ONLY, { ...BOTH, credentials: { username: 'both', password: 'pw-both' } }]],
    ['may no longer use NTLM', [ONLY, { ...BOTH, auth: ['basic'] as const }]],
    ['may no longer come from here', [ONLY, { ...BOTH, addresses: new AddressSet(['10.0.0.0/8']) }]],
    ['has lost its name to another', [ONLY, { ...PLAIN, requester: BOTH.requester, auth: ['ntlm'] as const }]],
  ])('is nobody\'s whose client %s', async (_what, accounts) => {
    const served = await serve();
    const connection = served.connect();
    await connection.signIn('both', 'pw-both', 'CORP');
    expect((await connection.ask()).status).toBe(200);
    served.reload(accounts);
    expect((await connection.ask()).status).toBe(401);
  });

  it('is nobody\'s where everybody comes through a proxy by now', async () => {
    const served = await serve();
    const connection = served.connect();
    await connection.signIn('both', 'pw-both', 'CORP');
    served.reload(ACCOUNTS, { behindProxy: true });
    expect((await connection.ask()).status).toBe(401);
  });
});

describe('repeated failures', () => {
  it('are held back as those of Basic, the first two legs of an honest handshake are none', async () => {
    const served = await serve();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      await served.connect().signIn('both', 'wrong', 'CORP');
      waits.push(pauses.splice(0).reduce((sum, ms) => sum + ms, 0));
    }
    expect(waits.slice(0, LIMITS.freeFailures)).toEqual(Array(LIMITS.freeFailures).fill(0));
    expect(waits.at(-1)).toBeGreaterThan(1_000);
    // Basic and NTLM are one door, and a success opens it again.
    await served.connect().ask({ authorization: basic('CORP\\both', 'pw-both') });
    expect(pauses.splice(0)).not.toEqual([]);
    for (let round = 0; round < 20; round++) await served.connect().signIn('both', 'pw-both', 'CORP');
    expect(pauses.splice(0)).toEqual([]);
  });
});
