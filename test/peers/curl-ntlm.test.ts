import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authority } from '../platform/certificates.ts';
import { hasPeer, openPeerWorld } from './peer-world.ts';
import type { PeerWorld } from './peer-world.ts';

const run = promisify(execFile);

/** curl as Debian has it, built with NTLM. Elsewhere it may be missing or built without. */
const HAS_CURL = hasPeer('sh', '-c', 'curl --version | grep -qw NTLM');

const CLIENTS = [
  { name: 'peer', username: 'peer@corp.example', password: 'pw-of-peer', auth: ['basic', 'ntlm'], mayAsk: ['zimbra', 'exchange'], detail: 'details' },
  { name: 'desk', username: 'CORP\\desk', password: 'pw of desk: 17', auth: ['ntlm'], mayAsk: ['zimbra', 'exchange'] },
  { name: 'plain', username: 'plain', password: 'pw-of-plain', mayAsk: ['exchange'] },
];
const PEER = 'peer@corp.example:pw-of-peer';
const DESK = 'CORP\\desk:pw of desk: 17';

const WINDOW = 'start=2026-03-02T08:00:00Z&end=2026-03-02T12:00:00Z';
const API = `/api/v1/freebusy?mailbox=anna@corp.example&${WINDOW}`;
const OWA = '/public/?cmd=freebusy&start=2026-03-02T08:00:00%2B00:00&end=2026-03-02T12:00:00%2B00:00&interval=30&u=SMTP:anna@corp.example';
const EWS = '/EWS/Exchange.asmx';

interface Said {
  /** Status lines of every answer, in order. */
  readonly statuses: readonly number[];
  readonly challenges: readonly string[];
  readonly body: string;
  readonly connections: number;
}

/** Runs curl; its own account of every header it got goes to standard error with `-v`. */
async function curl(...args: readonly string[]): Promise<Said> {
  const { stdout, stderr } = await run('curl', ['--silent', '--verbose', '--no-progress-meter', '--max-time', '15', '--write-out', '\n%{num_connects}', ...args], { encoding: 'latin1', maxBuffer: 16 << 20 });
  const end = stdout.lastIndexOf('\n');
  const got = stderr.split('\n').filter((line) => line.startsWith('< ')).map((line) => line.slice(2).trim());
  return {
    statuses: got.flatMap((line) => /^HTTP\/1\.1 (\d+)/.exec(line)?.slice(1).map(Number) ?? []).filter((status) => status !== 100),
    challenges: got.flatMap((line) => /^WWW-Authenticate: (.*)$/i.exec(line)?.[1] ?? []),
    body: stdout.slice(0, end),
    connections: Number(stdout.slice(end + 1)),
  };
}

describe.skipIf(!HAS_CURL)('curl --ntlm (skipped where no curl with NTLM is installed)', () => {
  const authority = new Authority('curl tests');
  let world: PeerWorld;
  let folder: string;
  let [http, https] = ['', ''];

  beforeAll(async () => {
    const { certificate, key } = authority.issue('/CN=bridge', 'IP:127.0.0.1', 10);
    folder = await mkdtemp(join(tmpdir(), 'curl-ntlm-'));
    await writeFile(join(folder, 'ca.pem'), authority.certificate);
    await writeFile(join(folder, 'body'), Buffer.alloc(1_048_576, '<!-- a large question -->'));
    world = await openPeerWorld(
      { listen: ['http://127.0.0.1:0', 'https://127.0.0.1:0'], tls: { certificate: 'cert.pem', key: 'key.pem' }, clients: CLIENTS },
      { files: { 'cert.pem': certificate, 'key.pem': key } },
    );
    [http, https] = world.bridge.urls as [string, string];
    world.exchange.add('anna@corp.example', { start: Date.UTC(2026, 2, 2, 9), end: Date.UTC(2026, 2, 2, 10), type: 'busy' });
  });

  afterAll(async () => {
    await world.close();
    authority.remove();
    await rm(folder, { recursive: true });
  });

  it.each([['an address', PEER], ['DOMAIN\\user', DESK], ['domain/user in another case', DESK.replace('CORP\\desk', 'corp/DESK')]])('signs in as %s, over two requests of one connection', async (_what, user) => {
    const { statuses, challenges, connections, body } = await curl('--ntlm', '-u', user, http + API);
    expect([statuses, connections]).toEqual([[401, 200], 1]);
    expect(challenges).toEqual([expect.stringMatching(/^NTLM TlRMTVNTUAACAAAA/)]);
    expect(body).toContain('"type":"busy"');
  });

  it('over TLS, and on the other faces', async () => {
    expect((await curl('--cacert', join(folder, 'ca.pem'), '--ntlm', '-u', PEER, https + API)).statuses).toEqual([401, 200]);
    const owa = await curl('--ntlm', '-u', PEER, http + OWA);
    expect([owa.statuses, owa.body]).toEqual([[401, 200], expect.stringContaining('00220000')]);
  });

  it('is asked for NTLM and Basic where it says nothing, also by GET at the EWS endpoint, and takes NTLM of the two', async () => {
    for (const path of [API, EWS]) expect([path, (await curl(http + path)).challenges]).toEqual([path, ['NTLM', 'Basic realm="freebusy-bridge"']]);
    expect((await curl('--anyauth', '-u', PEER, http + API)).statuses).toEqual([401, 401, 200]);
  });

  it('asks many times on a connection that it signed in on once', async () => {
    const { statuses } = await curl('--ntlm', '-u', PEER, http + API, http + OWA, http + API);
    expect(statuses).toEqual([401, 200, 200, 200]);
  });

  it.each([
    ['a wrong password', ['--ntlm', '-u', 'peer@corp.example:wrong']],
    ['an unknown name', ['--ntlm', '-u', 'nobody:pw-of-peer']],
    ['the name of a client for Basic only', ['--ntlm', '-u', 'plain:pw-of-plain']],
  ])('with %s is refused after one try', async (_what, args) => {
    const { statuses, challenges } = await curl(...args, http + API);
    expect(statuses).toEqual([401, 401]);
    expect(challenges.slice(-2)).toEqual(['NTLM', 'Basic realm="freebusy-bridge"']);
  });

  it('Basic is for those who list it', async () => {
    expect((await curl('--basic', '-u', PEER, http + API)).statuses).toEqual([200]);
    expect((await curl('--basic', '-u', 'plain:pw-of-plain', http + API)).statuses).toEqual([200]);
    expect((await curl('--basic', '-u', DESK, http + API)).statuses).toEqual([401]);
  });

  it.each([['as it is', []], ['in chunks', ['-H', 'Transfer-Encoding: chunked']], ['expecting to be told to go on', ['-H', 'Expect: 100-continue']]])(
    'sends 1 MB %s: nobody reads it before the sign-in is over, and the connection stays whole',
    async (_what, args) => {
      // What the face makes of such a body is not the question, as long as it was read by whoever signed in.
      const { statuses, connections } = await curl('--ntlm', '-u', PEER, ...args, '-H', 'Content-Type: text/xml', '--data-binary', `@${join(folder, 'body')}`, http + EWS);
      expect(statuses[0]).toBe(401);
      expect(statuses.slice(1)).not.toContain(401);
      expect([statuses.length, connections]).toEqual([2, 1]);
    },
  );

  it('behind a proxy is asked for Basic only', async () => {
    const proxied = await curl('-H', 'X-Forwarded-For: 192.0.2.1', '--anyauth', '-u', PEER, http + API);
    expect([proxied.statuses, proxied.challenges]).toEqual([[401, 200], ['Basic realm="freebusy-bridge"']]);
    expect((await curl('-H', 'Via: 1.1 proxy', '--ntlm', '-u', PEER, http + API)).statuses).toEqual([401]);
  });

  it('says what another connection said, and is refused', async () => {
    const { stderr } = await run('curl', ['-sv', '-o', '/dev/null', '--ntlm', '-u', PEER, http + API]);
    const [, answer] = [...stderr.matchAll(/^> Authorization: (NTLM \S+)/gm)].map(([, value]) => value!);
    const again = await curl('-H', `Authorization: ${answer!}`, http + API, http + API);
    expect(again.statuses).toEqual([401, 401]);
  });
});
