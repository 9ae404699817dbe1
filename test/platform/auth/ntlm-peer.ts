import { createRequire } from 'node:module';
import type { ClientRequestArgs, IncomingHttpHeaders } from 'node:http';
import { Agent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** What ews-javascript-api signs in with: an NTLM client that is not ours. It has no types. */
const ntlm = createRequire(import.meta.url)('@ewsjs/ntlm-client') as {
  createType1Message(workstation: string, domain: string): string;
  decodeType2Message(header: string): object;
  createType3Message(challenge: object, username: string, password: string, workstation: string, domain: string): string;
};

export const NEGOTIATE: string = ntlm.createType1Message('WS', '');

/** The value of Authorization that answers this value of WWW-Authenticate. */
export function answerTo(challenge: string, username: string, password: string, domain = ''): string {
  return ntlm.createType3Message(ntlm.decodeType2Message(challenge), username, password, 'WS', domain);
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The client's port: the same for one connection. */
  readonly port: number;
}

export interface Ask {
  readonly method?: string;
  readonly authorization?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** One connection that is kept open, request after request. Close it. */
export class Connection {
  readonly #agent: Agent;
  readonly #base: URL;
  readonly #more: ClientRequestArgs & { readonly ca?: string };

  constructor(base: string, more: ClientRequestArgs & { readonly ca?: string } = {}) {
    this.#base = new URL(base);
    this.#more = more;
    this.#agent = new (this.#base.protocol === 'https:' ? HttpsAgent : Agent)({ keepAlive: true, maxSockets: 1 });
  }

  async ask({ method = 'GET', authorization, headers = {}, body }: Ask = {}): Promise<Answer> {
    const { hostname, port, protocol } = this.#base;
    return new Promise((resolve, reject) => {
      const options = { hostname, port, path: '/', method, agent: this.#agent, headers: { ...headers, ...(authorization === undefined ? {} : { authorization }) }, ...this.#more };
      const request = (protocol === 'https:' ? httpsRequest : httpRequest)(options, (response) => {
        const clientPort = response.socket.localPort ?? 0;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString(), port: clientPort }));
        response.once('error', reject);
      });
      request.once('error', reject);
      request.end(body);
    });
  }

  /** NEGOTIATE, then the answer to what came back. */
  async signIn(username: string, password: string, domain = '', last: Ask = {}): Promise<Answer> {
    const challenged = await this.ask({ authorization: NEGOTIATE });
    return this.ask({ ...last, authorization: answerTo(challenged.headers['www-authenticate'] ?? '', username, password, domain) });
  }

  close(): void {
    this.#agent.destroy();
  }
}
