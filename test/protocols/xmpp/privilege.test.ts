import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { attribute, child } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { xml } from '../../../src/platform/xml/write.ts';
import { decodeActivity } from '../../../src/protocols/user-activity/activity.ts';
import { stanzaFailure } from '../../../src/protocols/xmpp/failure.ts';
import { decodePrivilegedAnswer, decodePrivileges, encodePrivilegedIq } from '../../../src/protocols/xmpp/privilege.ts';
import { decodeLastItem, encodePublish } from '../../../src/protocols/xmpp/pubsub.ts';

const folder = (operation: string): string => join('fixtures', 'xmpp', operation);
const expectedOf = (operation: string, name: string): unknown => JSON.parse(readFileSync(join(folder(operation), name, 'expected.json'), 'utf8'));
const messageOf = (operation: string, name: string): Promise<Awaited<ReturnType<typeof readXml>>> => readXml(readFileSync(join(folder(operation), name, 'message.xml')));

describe('privileges (XEP-0356)', () => {
  it.each(readdirSync(folder('privileges')))('%s is read as it is meant', async (name) => {
    const told = decodePrivileges(await messageOf('privileges', name));
    const plain = told === undefined ? null : { host: told.host, isOld: told.privileges.isOld, iq: Object.fromEntries([...told.privileges.iq].map(([ns, types]) => [ns, [...types]])) };
    expect(plain).toEqual(expectedOf('privileges', name));
  });

  it.each(readdirSync(folder('answers')))('the answer %s', async (name) => {
    const judge = async (): Promise<unknown> => {
      const stanza = await messageOf('answers', name);
      if (attribute(stanza, 'type') === 'error') throw stanzaFailure(stanza);
      const inner = decodePrivilegedAnswer(stanza);
      if (attribute(inner, 'type') === 'error') throw stanzaFailure(inner);
      const item = decodeLastItem(inner);
      return { item: item === undefined ? null : { isOurs: item.isOurs, state: item.activity === undefined ? null : decodeActivity(item.activity) } };
    };
    const judged = await judge().catch((error: unknown) => {
      if (!(error instanceof BridgeError)) throw error;
      const { code, temporary, details } = error;
      return { error: code, ...(details['reason'] === undefined ? {} : { reason: details['reason'] }), ...(temporary && code !== 'BACKEND_MALFORMED' ? { temporary } : {}) };
    });
    expect(judged).toEqual(expectedOf('answers', name));
  });

  it('an IQ is wrapped as the server wants it: bare JID outside, the same type, an id and the user himself inside, one payload', async () => {
    const outer = await readXml(encodePrivilegedIq({ id: 'x-1', type: 'set', component: 'c.example', jid: "o\\27hara@corp.example" }, encodePublish(xml`<a xmlns="urn:a"/>`)).text);
    expect(Object.fromEntries(outer.attributes.map(({ name, value }) => [name, value]))).toEqual({ type: 'set', id: 'x-1', from: 'c.example', to: 'o\\27hara@corp.example' });
    const wrapper = child(outer, 'privileged_iq');
    expect(wrapper?.ns).toBe('urn:xmpp:privilege:2');
    expect(wrapper?.children).toHaveLength(1);
    const inner = child(wrapper, 'iq');
    expect(inner?.ns).toBe('jabber:client');
    expect(Object.fromEntries(inner!.attributes.map(({ name, value }) => [name, value]))).toMatchObject({ type: 'set', id: 'x-1', from: 'o\\27hara@corp.example' });
    expect(inner?.children.map(({ name, ns }) => [name, ns])).toEqual([['pubsub', 'http://jabber.org/protocol/pubsub']]);
  });

  it('a server’s words are passed on bounded and on one line', async () => {
    const stanza = await readXml(`<iq type="error"><error type="cancel"><not-acceptable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/><text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas">a\n\nb \u202e${'c'.repeat(5_000)}</text></error></iq>`);
    const { details } = stanzaFailure(stanza);
    expect(details['fault']).toMatch(/^a b c{50}/);
    expect(String(details['fault']).length).toBeLessThanOrEqual(200);
  });
});
