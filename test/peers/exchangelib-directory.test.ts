import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ewsEndpoint } from '../../src/protocols/ews/endpoint.ts';
import type { FaceUnderTest } from '../protocols/face-under-test.ts';
import { openDirectoryWorld } from './directory-world.ts';
import { hasPeer, PEER } from './peer-world.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('ask-exchangelib-directory.py', import.meta.url));
// Debian's own Python: a newer one before it on PATH does not see Debian's packages.
const PYTHON = '/usr/bin/python3';

/** exchangelib (Debian's python3-exchangelib) in the address book: names, members, rooms, FindPeople and GetPersona. */
describe.skipIf(!hasPeer(PYTHON, '-c', 'import exchangelib'))('exchangelib in the address book (skipped without Debian’s python3-exchangelib)', () => {
  let face: FaceUnderTest;
  beforeAll(async () => {
    face = await openDirectoryWorld(ewsEndpoint);
  });
  afterAll(() => face.close());

  it('finds people by ResolveNames and FindPeople, and what is known of one, members, rooms', async () => {
    const { stdout } = await run(PYTHON, [SCRIPT, `${face.url}/EWS/Exchange.asmx`, PEER.username, PEER.password], { timeout: 60_000 });
    expect(JSON.parse(stdout)).toEqual({
      resolved: [['kim@zimbra.example', 'Mailbox', 'Kim', null], ['kimberly@corp.example', 'Mailbox', 'Kimberly', null]],
      anna: [['anna@corp.example', 'Mailbox', 'Anna', 'Director']],
      nobody: [],
      members: ['anna@corp.example', 'kim@zimbra.example', 'rooms@corp.example'],
      noMembers: 'ErrorNameResolutionNoResults',
      roomLists: ['rooms@corp.example'],
      rooms: ['atlas@corp.example'],
      found: [
        { name: 'Kim Lee', given: 'Kim', address: 'kim@zimbra.example', type: 'Person' },
        { name: 'Kimberly Ng', given: 'Kimberly', address: 'kimberly@corp.example', type: 'Person' },
      ],
      // An answer of this client may hold a hundred, on however many pages.
      page: 0,
      whole: { name: 'Anna Müller', given: 'Anna', address: 'anna@corp.example', type: 'Person', title: 'Director', phones: ['+49 30 1'] },
    });
  }, 90_000);
});
