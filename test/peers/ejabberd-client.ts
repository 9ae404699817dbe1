import { createHash } from 'node:crypto';
import { passwordOf, XMPP_DOMAIN } from './ejabberd.ts';

/** What is used of @xmpp/client 0.14, which has no types. */
interface Element {
  readonly name: string;
  readonly attrs: Readonly<Record<string, string | undefined>>;
  getChild(name: string, xmlns?: string): Element | undefined;
  getChildText(name: string): string | null;
  getChildElements(): readonly Element[];
  toString(): string;
}

interface Xmpp {
  readonly reconnect: { stop(): void };
  on(event: string, listener: (value: never) => void): void;
  start(): Promise<unknown>;
  stop(): Promise<unknown>;
  send(element: Element): Promise<unknown>;
}

interface XmppLibrary {
  readonly client: (options: Readonly<Record<string, unknown>>) => Xmpp;
  readonly xml: (name: string, attrs?: Readonly<Record<string, string>>, ...children: readonly (Element | string)[]) => Element;
}

const NS_CAPS = 'http://jabber.org/protocol/caps';
const NS_DISCO = 'http://jabber.org/protocol/disco#info';
const NS_EVENT = 'http://jabber.org/protocol/pubsub#event';
const NS_ACTIVITY = 'http://jabber.org/protocol/activity';
const NODE = 'https://client.example';
/** Sorted, as XEP-0115 §5.1 wants them. */
const FEATURES = [NS_CAPS, NS_DISCO, `${NS_ACTIVITY}+notify`].sort();

/** What a contact says by presence or activity, one line each: `alice/desk dnd "In a meeting" 5`, `alice/desk gone`, `alice does working/in_a_meeting "In a meeting"`, `alice does nothing`. */
export interface XmppClient {
  /** All so far. */
  readonly lines: readonly string[];
  /** Resolves with the next line that begins with `start`; lines before it count as read. */
  seen(start: string): Promise<string>;
  /** Of itself. */
  show(show: 'available' | 'away' | 'xa' | 'dnd' | 'chat', status?: string, priority?: number): Promise<void>;
  close(): Promise<void>;
}

/** An ordinary client that wants to hear of activities; signed in, presence not sent. */
export async function xmppClient(port: number, user: string, resource: string): Promise<XmppClient> {
  const name = '@xmpp/client';
  const { client, xml } = (await import(name)) as XmppLibrary;
  const xmpp = client({ service: `xmpp://127.0.0.1:${port}`, domain: XMPP_DOMAIN, resource, username: user, password: passwordOf(user) });
  xmpp.reconnect.stop();
  const lines: string[] = [];
  let read = 0;
  let wake = (): void => undefined;
  // A server that stops is one of the tests; whoever waits for a line then waits in vain, and says so.
  xmpp.on('error', () => undefined);
  xmpp.on('stanza', (stanza: Element) => {
    if (stanza.name === 'iq' && stanza.attrs['type'] === 'get') void xmpp.send(discoAnswer(xml, stanza)).catch(() => undefined);
    lines.push(...linesOf(stanza));
    wake();
  });
  await xmpp.start();
  const caps = xml('c', { xmlns: NS_CAPS, hash: 'sha-1', node: NODE, ver: verification() });
  return {
    lines,
    seen: async (start) => {
      for (;;) {
        while (read < lines.length) {
          const line = lines[read++]!;
          if (line.startsWith(start)) return line;
        }
        await new Promise<void>((resolve, reject) => {
          const late = setTimeout(() => reject(new Error(`not seen: ${start}; seen: ${lines.join(' | ')}`)), 10_000);
          wake = () => {
            clearTimeout(late);
            resolve();
          };
        });
      }
    },
    show: async (show, status, priority = 0) => {
      await xmpp.send(xml('presence', {}, ...(show === 'available' ? [] : [xml('show', {}, show)]), ...(status === undefined ? [] : [xml('status', {}, status)]), xml('priority', {}, String(priority)), caps));
    },
    close: async () => void (await xmpp.stop().catch(() => undefined)),
  };
}

function linesOf(stanza: Element): readonly string[] {
  const from = (stanza.attrs['from'] ?? '').replace(`@${XMPP_DOMAIN}`, '');
  if (stanza.name === 'presence') {
    if (stanza.attrs['type'] === 'unavailable') return [`${from} gone`];
    if (stanza.attrs['type'] !== undefined) return [];
    return [`${from} ${stanza.getChildText('show') ?? 'available'} ${JSON.stringify(stanza.getChildText('status') ?? '')} ${stanza.getChildText('priority') ?? '0'}`];
  }
  const items = stanza.getChild('event', NS_EVENT)?.getChild('items');
  if (stanza.name !== 'message' || items?.attrs['node'] !== NS_ACTIVITY) return [];
  return items.getChildElements().map((item) => `${from} does ${activityOf(item.getChild('activity', NS_ACTIVITY))}`);
}

function activityOf(activity: Element | undefined): string {
  const general = activity?.getChildElements().find((one) => one.name !== 'text');
  if (activity === undefined || general === undefined) return 'nothing';
  const path = [general.name, ...general.getChildElements().map((one) => one.name)].join('/');
  return `${path} ${JSON.stringify(activity.getChildText('text') ?? '')}`;
}

/** XEP-0115 §5.1. */
function verification(): string {
  return createHash('sha1').update(`client/pc//test<${FEATURES.map((feature) => `${feature}<`).join('')}`).digest('base64');
}

function discoAnswer(xml: XmppLibrary['xml'], { attrs }: Element): Element {
  const query = xml('query', { xmlns: NS_DISCO, node: `${NODE}#${verification()}` }, xml('identity', { category: 'client', type: 'pc', name: 'test' }), ...FEATURES.map((feature) => xml('feature', { var: feature })));
  return xml('iq', { type: 'result', id: attrs['id'] ?? '', to: attrs['from'] ?? '' }, query);
}
