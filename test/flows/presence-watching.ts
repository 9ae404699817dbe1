import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { xmppClient } from '../peers/ejabberd-client.ts';
import type { Ejabberd } from '../peers/ejabberd.ts';
import { HOST } from '../peers/prosody.ts';
import type { Prosody } from '../peers/prosody.ts';
import { SipWatcher } from '../peers/sip-watcher.ts';
import { startWatcher } from '../peers/xmpp-watcher.ts';
import { until } from './bridge-process.ts';
import { ANNA } from './presence-world.ts';

/** Somebody who watches Anna at a server that the bridge publishes to. */
export interface Watching {
  readonly name: string;
  /** What was seen of her, in the one vocabulary, oldest first; `nothing`: neither a meeting nor an absence. */
  readonly states: readonly string[];
  /** All that came, as it came. */
  readonly said: string;
  close(): Promise<unknown>;
}

/** Waits until somebody has seen a state, after the `after` that were seen before, as the newest. */
export async function sees(watching: Watching, state: string, after = 0, timeoutMs = 20_000): Promise<void> {
  await until(() => (watching.states.length > after && watching.states.at(-1) === state ? true : undefined), timeoutMs, () => `${watching.name} does not see ${state}: ${watching.states.join(', ')}\n${watching.said.slice(-1500)}`);
}

/** A bare SIP watcher at Kamailio. */
export async function watchingSip(port: number): Promise<Watching & { readonly documents: readonly string[] }> {
  const watcher = await SipWatcher.watch(port, ANNA);
  return {
    name: 'the watcher at Kamailio',
    get documents() {
      return watcher.documents;
    },
    get states() {
      return watcher.documents.map((document) => (/<\w+:meeting\/>/.test(document) ? 'in-a-meeting' : /<\w+:away\/>/.test(document) ? 'away' : document.includes('<basic>open</basic>') ? 'available' : 'nothing'));
    },
    get said() {
      return watcher.documents.join('\n');
    },
    close: async () => watcher.close(),
  };
}

const ACTIVITIES: Readonly<Record<string, string>> = { 'working/in_a_meeting': 'in-a-meeting', inactive: 'away' };

/** @xmpp/client as Bob at Prosody. */
export async function watchingProsody(prosody: Prosody): Promise<Watching> {
  const watcher = await startWatcher({ port: prosody.clientPort, domain: HOST, username: 'bob', password: prosody.password });
  return {
    name: 'the contact at Prosody',
    get states() {
      // Prosody 0.12 tells contacts of one publication twice.
      return watcher.seen.filter(({ of }) => of === ANNA).map(({ activity }) => ACTIVITIES[activity] ?? 'nothing').filter((state, at, all) => state !== all[at - 1]);
    },
    get said() {
      return JSON.stringify(watcher.seen);
    },
    close: () => watcher.close(),
  };
}

/** Bob at ejabberd, and Anna signed in there: through her sessions contacts are told of her activity. */
export async function watchingEjabberd(ejabberd: Ejabberd): Promise<Watching> {
  const bob = await xmppClient(ejabberd.xmppPort, 'bob', 'watch');
  await bob.show('available');
  await bob.seen('bob/watch available');
  const desk = await xmppClient(ejabberd.xmppPort, 'anna', 'desk');
  await desk.show('available', 'at my desk', 5);
  await bob.seen('anna/desk available');
  return {
    name: 'the contact at ejabberd',
    get states() {
      return bob.lines.flatMap((line) => {
        const [, activity] = /^anna does (\S+)/.exec(line) ?? [];
        return activity === undefined ? [] : [ACTIVITIES[activity] ?? 'nothing'];
      });
    },
    get said() {
      return bob.lines.join('\n');
    },
    close: async () => {
      await desk.close();
      await bob.close();
    },
  };
}

/** A chat product's incoming webhook. */
export interface Receiver extends Watching {
  readonly url: string;
  readonly calls: readonly { readonly signature: string; readonly body: string }[];
}

export async function receiver(): Promise<Receiver> {
  const calls: { signature: string; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      calls.push({ signature: String(request.headers['x-signature']), body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    name: 'the webhook',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/pres`,
    calls,
    get states() {
      return calls.flatMap(({ body }) => {
        const { address, state } = JSON.parse(body) as { readonly address: string; readonly state: string | null };
        return address === ANNA ? [state ?? 'nothing'] : [];
      });
    },
    get said() {
      return JSON.stringify(calls);
    },
    close: () => new Promise((resolve) => {
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}
