import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createRequire } from 'node:module';

/** npm's @xmpp/client: an ordinary client that was not written here. It has no types; this is as much of it as is used. */
interface XmppClient extends EventEmitter {
  readonly iqCallee: { get(ns: string, name: string, answer: () => Element): void };
  readonly iqCaller: { request(iq: Element, timeoutMs?: number): Promise<Element> };
  readonly reconnect: { stop(): void };
  start(): Promise<unknown>;
  stop(): Promise<unknown>;
  send(stanza: Element): Promise<void>;
}

interface Element {
  readonly name: string;
  readonly attrs: Readonly<Record<string, string | undefined>>;
  getChild(name: string, ns?: string): Element | undefined;
  getChildren(name: string): readonly Element[];
  getChildElements(): readonly Element[];
  toString(): string;
}

const load = createRequire(import.meta.url);
const { client, xml } = load('@xmpp/client') as {
  readonly client: (options: { readonly service: string; readonly domain: string; readonly username: string; readonly password: string }) => XmppClient;
  readonly xml: (name: string, attributes?: Readonly<Record<string, string>>, ...children: readonly (Element | string)[]) => Element;
};

const ACTIVITY = 'http://jabber.org/protocol/activity';
const DISCO = 'http://jabber.org/protocol/disco#info';
const PUBSUB = 'http://jabber.org/protocol/pubsub';
const NODE = 'https://watcher.example';
const FEATURES = [ACTIVITY, `${ACTIVITY}+notify`, 'http://jabber.org/protocol/caps', DISCO].sort();

/** An activity as somebody who watches is told of it. */
export interface SeenActivity {
  /** Bare JID. */
  readonly of: string;
  /** `working/in_a_meeting`, `inactive`; empty where the activity has nothing in it. */
  readonly activity: string;
  readonly text: string | undefined;
  readonly language: string | undefined;
}

/** Somebody signed in who watches the activities of his contacts. */
export interface Watcher {
  /** Everything that came so far. */
  readonly seen: readonly SeenActivity[];
  /** Waits for one that is or was told, from `after` (a length of `seen`) on. */
  until(matches: (seen: SeenActivity) => boolean, after?: number): Promise<SeenActivity>;
  /** The activities on somebody's node, asked for as a contact; `item-not-found` where there is no node. */
  itemsOf(jid: string): Promise<readonly SeenActivity[] | string>;
  /** Resolves when the server has done all that was sent to it before. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Signs in, says which features it has (XEP-0115), and waits until the server has sent the last items of everybody. */
export async function startWatcher(options: { readonly port: number; readonly domain: string; readonly username: string; readonly password: string }): Promise<Watcher> {
  const { port, domain, username, password } = options;
  const xmpp = client({ service: `xmpp://127.0.0.1:${port}`, domain, username, password });
  xmpp.reconnect.stop();
  xmpp.on('error', () => undefined);
  const seen: SeenActivity[] = [];
  const news = new EventEmitter();
  xmpp.on('stanza', (stanza: Element) => {
    const items = stanza.name === 'message' ? stanza.getChild('event', `${PUBSUB}#event`)?.getChild('items') : undefined;
    if (items?.attrs['node'] !== ACTIVITY) return;
    for (const one of activitiesOf(items, (stanza.attrs['from'] ?? '').replace(/\/.*/, ''))) seen.push(one);
    news.emit('seen');
  });
  const info = ['client/pc//watcher<', ...FEATURES.map((feature) => `${feature}<`)].join('');
  const ver = createHash('sha1').update(info).digest('base64');
  xmpp.iqCallee.get(DISCO, 'query', () => xml('query', { xmlns: DISCO, node: `${NODE}#${ver}` }, xml('identity', { category: 'client', type: 'pc', name: 'watcher' }), ...FEATURES.map((feature) => xml('feature', { var: feature }))));
  await xmpp.start();
  const settled = async (): Promise<void> => {
    // The first answer comes behind what the server asks on hearing of us, the second behind what it does with our answers.
    for (let round = 0; round < 2; round++) await xmpp.iqCaller.request(xml('iq', { type: 'get', to: domain }, xml('ping', { xmlns: 'urn:xmpp:ping' })), 15_000);
  };
  await xmpp.send(xml('presence', {}, xml('c', { xmlns: 'http://jabber.org/protocol/caps', hash: 'sha-1', node: NODE, ver })));
  await settled();
  return {
    seen,
    settled,
    until: async (matches, after = 0) => {
      for (;;) {
        const found = seen.slice(after).find(matches);
        if (found !== undefined) return found;
        await once(news, 'seen', { signal: AbortSignal.timeout(15_000) });
      }
    },
    itemsOf: async (jid) => {
      try {
        const answer = await xmpp.iqCaller.request(xml('iq', { type: 'get', to: jid }, xml('pubsub', { xmlns: PUBSUB }, xml('items', { node: ACTIVITY }))), 15_000);
        const items = answer.getChild('pubsub', PUBSUB)?.getChild('items');
        return items === undefined ? [] : activitiesOf(items, jid);
      } catch (error) {
        return (error as { readonly condition?: string }).condition ?? String(error);
      }
    },
    close: async () => {
      await xmpp.stop().catch(() => undefined);
    },
  };
}

function activitiesOf(items: Element, of: string): readonly SeenActivity[] {
  return items.getChildren('item').map((item) => {
    const activity = item.getChild('activity', ACTIVITY);
    const general = activity?.getChildElements().find(({ name }) => name !== 'text');
    const text = activity?.getChild('text');
    return { of, activity: [general?.name, general?.getChildElements()[0]?.name].filter((name) => name !== undefined).join('/'), text: text === undefined ? undefined : textOf(text), language: text?.attrs['xml:lang'] };
  });
}

const textOf = (element: Element): string => (element as Element & { text(): string }).text();
