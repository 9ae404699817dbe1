import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zimbraSoapEndpoint } from '../../src/protocols/zimbra-soap/endpoint.ts';
import type { FaceUnderTest } from '../protocols/face-under-test.ts';
import { openDirectoryWorld } from './directory-world.ts';
import { signedIn } from './js-zimbra-client.ts';
import type { Question } from './js-zimbra-client.ts';
import { PEER } from './peer-world.ts';

const account = (name: string, params: object): Question => ({ name, namespace: 'zimbraAccount', params });
const mail = (name: string, params: object): Question => ({ name, namespace: 'zimbraMail', params });

/** npm's js-zimbra at Zimbra's face of the address book. */
describe('js-zimbra', () => {
  let face: FaceUnderTest;
  beforeAll(async () => {
    face = await openDirectoryWorld((services) => zimbraSoapEndpoint({ ...services, directory: services.directory! }));
  });
  afterAll(() => face.close());

  it.each(['password', 'preauth'] as const)('signs in by %s and searches', async (how) => {
    const ask = await signedIn(face.url, PEER.username, PEER.password, how);
    expect(await ask(account('SearchGalRequest', { name: 'anna', type: 'all' }))).toMatchObject([{
      SearchGalResponse: { more: false, cn: [{ _attrs: { email: 'anna@corp.example', email2: 'a.mueller@corp.example', fullName: 'Anna Müller', firstName: 'Anna', lastName: 'Müller', jobTitle: 'Director', workPhone: '+49 30 1' } }] },
    }]);
  });

  it('is refused with a wrong password', async () => {
    await expect(signedIn(face.url, PEER.username, 'wrong')).rejects.toThrow(/AUTH_FAILED|wrong user name or password/);
  });

  it('completes what somebody types, people and lists', async () => {
    const ask = await signedIn(face.url, PEER.username, PEER.password);
    expect(await ask(mail('AutoCompleteRequest', { name: { _content: 'kim' }, includeGal: 1 }))).toMatchObject([{
      AutoCompleteResponse: { match: [{ email: expect.stringContaining('<kim@zimbra.example>') as string, type: 'gal' }, { email: expect.stringContaining('<kimberly@corp.example>') as string }] },
    }]);
    expect(await ask(account('AutoCompleteGalRequest', { name: 'team', type: 'all', needExp: 1 }))).toMatchObject([{ AutoCompleteGalResponse: { cn: [{ exp: true, _attrs: { email: 'team@corp.example', type: 'group' } }] } }]);
  });

  it('asks for several at once: a room, a list\'s members, and what a client that may only search is refused', async () => {
    const ask = await signedIn(face.url, PEER.username, PEER.password);
    const [rooms, members, everybody] = await ask(account('SearchCalendarResourcesRequest', { name: { _content: 'atlas' } }), account('GetDistributionListMembersRequest', { dl: { _content: 'team@corp.example' } }), account('SyncGalRequest', {}));
    expect(JSON.stringify(rooms)).toContain('atlas@corp.example');
    expect(JSON.stringify(members)).toContain('anna@corp.example');
    expect(JSON.stringify(everybody)).toContain('service.PERM_DENIED');
  });
});
