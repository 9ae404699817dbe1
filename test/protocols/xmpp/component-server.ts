import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export const STREAM = "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:component:accept' id='stream-1' from='calendar.corp.example'>";
export const PRIVILEGES = "<message from='corp.example' to='calendar.corp.example'><privilege xmlns='urn:xmpp:privilege:2'><perm access='iq'><namespace ns='http://jabber.org/protocol/pubsub' type='both'/></perm></privilege></message>";
export const HANDSHAKE = createHash('sha1').update('stream-1secret').digest('hex');

/** What the server does with what it gets. */
export interface Script {
  /** On a connection; default: nothing. */
  readonly connected?: (socket: Socket) => void;
  /** On the stream's header; default: its own header. */
  readonly opened?: (socket: Socket) => void;
  /** On the handshake; default: yes, and all privileges. */
  readonly handshake?: (socket: Socket, digest: string) => void;
  /** On every whole IQ with this id and addressee, `iq` is its text; default: nothing. */
  readonly iq?: (socket: Socket, id: string, to: string, iq: string) => void;
}

/** A server that does what a test wants, in bytes written by hand. */
export interface ComponentServer {
  readonly server: { readonly host: string; readonly port: number };
  readonly sockets: ReadonlySet<Socket>;
  /** Connections so far. */
  count(): number;
  /** All that came. */
  received(): string;
  script: Script;
  close(): Promise<void>;
}

export async function startComponentServer(script: Script = {}): Promise<ComponentServer> {
  const sockets = new Set<Socket>();
  let count = 0;
  let received = '';
  const server = createServer((socket) => {
    count++;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    self.script.connected?.(socket);
    let text = '';
    const take = (pattern: RegExp, then: (match: RegExpExecArray) => void): void => {
      for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
        text = text.slice(0, match.index) + text.slice(match.index + match[0].length);
        then(match);
      }
    };
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
      text += chunk;
      take(/<\?xml.*?<stream:stream[^>]*>/s, () => (self.script.opened === undefined ? socket.write(STREAM) : self.script.opened(socket)));
      take(/<handshake>(.*?)<\/handshake>/s, ([, digest]) => (self.script.handshake === undefined ? socket.write(`<handshake/>${PRIVILEGES}`) : self.script.handshake(socket, digest!)));
      take(/<iq type="(?:get|set)" id="([^"]*)" from="[^"]*" to="([^"]*)"><privileged_iq.*?<\/privileged_iq><\/iq>/s, ([iq, id, to]) => self.script.iq?.(socket, id!, to!, iq));
    });
  });
  const self: ComponentServer = {
    server: { host: '127.0.0.1', port: 0 },
    sockets,
    count: () => count,
    received: () => received,
    script,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(self, { server: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } });
}

/** An answer in which the inner IQ succeeds, with this in it. */
export function accepted(id: string, to: string, content = ''): string {
  return `<iq type='result' id='${id}' from='${to}' to='calendar.corp.example'><privilege xmlns='urn:xmpp:privilege:2'><forwarded xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client' type='result' id='${id}'>${content}</iq></forwarded></privilege></iq>`;
}
