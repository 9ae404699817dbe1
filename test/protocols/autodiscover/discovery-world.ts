import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock } from '../../../src/core/clock.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { parseMailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { HttpClientOptions } from '../../../src/platform/http-client/http-client.ts';
import { AutodiscoverClient } from '../../../src/protocols/autodiscover/client.ts';
import type { AutodiscoverClientOptions } from '../../../src/protocols/autodiscover/client.ts';
import { Authority } from '../../platform/certificates.ts';
import { AUTODISCOVER, OUTLOOK_RESPONSE } from './face.ts';

/** What a server of the world was asked. */
export interface Asked {
  /** `https://autodiscover.corp.example/autodiscover/autodiscover.svc` */
  readonly url: string;
  readonly method: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

export type Answer = (response: ServerResponse, asked: Asked) => unknown;

export const EWS = 'https://mail.corp.example/EWS/Exchange.asmx';
export const HOSTS = ['https://corp.example', 'https://autodiscover.corp.example', 'http://autodiscover.corp.example'] as const;
export const SVC = '/autodiscover/autodiscover.svc';
export const XML = '/autodiscover/autodiscover.xml';
export const PASSWORD = 'canary-p4ssword';
export const BASIC = `Basic ${Buffer.from(`CORP\\bridge:${PASSWORD}`).toString('base64')}`;

/**
 * An internet of its own: https and http servers that stand for every host name, with certificates that they verify against. What the names of a real one
 * would do with DNS does an interceptor: it leads every name to the one server, SNI and Host as they would be.
 */
export class DiscoveryWorld {
  readonly asked: Asked[] = [];
  readonly #authority = new Authority('Discovery');
  readonly #answers = new Map<string, Answer>();
  readonly #ends: (() => unknown)[] = [];
  readonly #sockets = new Set<Socket>();
  #ports = { https: 0, http: 0 };

  static async open(): Promise<DiscoveryWorld> {
    const world = new DiscoveryWorld();
    const { certificate, key } = world.#authority.issue('/CN=world', 'DNS:corp.example,DNS:*.corp.example,DNS:hoster.example,DNS:*.hoster.example,DNS:other.example,DNS:*.other.example', 5);
    const [https, http] = [createServer({ cert: certificate, key }, (request, response) => void world.#handle('https', request, response)), createHttpServer((request, response) => void world.#handle('http', request, response))];
    for (const server of [https, http]) {
      server.on('connection', (socket: Socket) => {
        world.#sockets.add(socket);
        socket.on('close', () => world.#sockets.delete(socket));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    world.#ports = { https: (https.address() as AddressInfo).port, http: (http.address() as AddressInfo).port };
    world.#ends.push(() => Promise.all([https, http].map((server) => new Promise((resolve) => server.close(resolve)))));
    return world;
  }

  /** A URL of it, origin and path, and what it answers. Hosts without any answer cannot be reached, their other paths are 404. */
  at(url: string, answer: Answer): this {
    this.#answers.set(url, answer);
    return this;
  }

  client(options: Partial<AutodiscoverClientOptions> = {}): AutodiscoverClient {
    const client = new AutodiscoverClient({
      name: 'exchange',
      mailbox: parseMailboxAddress('bridge@corp.example')!,
      authentications: [{ kind: 'basic', username: 'CORP\\bridge', password: PASSWORD }],
      ca: [this.#authority.certificate],
      hosts: [],
      clock: systemClock,
      logger: silentLogger,
      interceptors: [this.#toUs()],
      serviceRecords: async () => [],
      ...options,
    });
    this.#ends.push(() => client.close());
    return client;
  }

  /** Begins anew: nothing answers, nothing was asked. */
  forget(): void {
    this.#answers.clear();
    this.asked.length = 0;
  }

  /** Everything asked, as `METHOD url`, signed ones with `+`. */
  lines(): readonly string[] {
    return this.asked.map(({ method, url, authorization }) => `${authorization === undefined ? '' : '+'}${method} ${url}`);
  }

  async close(): Promise<void> {
    const servers = this.#ends.shift();
    for (const end of this.#ends.reverse()) await end();
    for (const socket of this.#sockets) socket.destroy();
    await servers?.();
    this.#authority.remove();
  }

  #toUs(): NonNullable<HttpClientOptions['interceptors']>[number] {
    return (dispatch) => (options, handler) => {
      const { protocol, host, origin } = new URL(String(options.origin));
      const isThere = [...this.#answers.keys()].some((one) => new URL(one).origin === origin);
      // Port 1 of loopback: nobody is there.
      const port = !isThere ? 1 : protocol === 'https:' ? this.#ports.https : this.#ports.http;
      return dispatch({ ...options, origin: `${protocol}//127.0.0.1:${port}`, headers: { ...(options.headers as Record<string, string>), host } }, handler);
    };
  }

  async #handle(scheme: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const url = `${scheme}://${request.headers.host}${request.url!.split('?')[0]}`;
    const asked = { url, method: request.method!, authorization: request.headers.authorization, body };
    this.asked.push(asked);
    const answer = this.#answers.get(url);
    if (answer === undefined) response.writeHead(404, { 'content-type': 'text/html' }).end('<html>nothing here</html>');
    else await answer(response, asked);
  }
}

/** 401 until somebody has signed in, with the right password. */
export function signed(answer: Answer, offers: readonly string[] = ['Negotiate', 'NTLM', 'Basic realm="autodiscover.corp.example"']): Answer {
  return (response, asked) => {
    if (asked.authorization === BASIC) return answer(response, asked);
    return response.writeHead(401, { 'www-authenticate': [...offers], 'content-type': 'text/html' }).end('<!DOCTYPE html><html>no</html>');
  };
}

export function xmlAnswer(body: string, status = 200): Answer {
  return (response) => response.writeHead(status, { 'content-type': 'text/xml; charset=utf-8' }).end(body);
}

export function redirect(location: string, status = 302): Answer {
  return (response) => response.writeHead(status, { location }).end();
}

/** GetUserSettingsResponse: what stands inside UserResponse. */
export function soapAnswer(user: string, overall = '<ErrorCode>NoError</ErrorCode><ErrorMessage/>'): Answer {
  return xmlAnswer(
    `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><GetUserSettingsResponseMessage xmlns="${AUTODISCOVER}"><Response xmlns:i="http://www.w3.org/2001/XMLSchema-instance">${overall}<UserResponses><UserResponse>${user}</UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>`,
  );
}

export function soapFound(urls: Readonly<Record<string, string>> = { ExternalEwsUrl: EWS }): Answer {
  const settings = Object.entries(urls).map(([name, value]) => `<UserSetting i:type="StringSetting"><Name>${name}</Name><Value>${value}</Value></UserSetting>`);
  return soapAnswer(`<ErrorCode>NoError</ErrorCode><ErrorMessage>No error.</ErrorMessage><RedirectTarget i:nil="true"/><UserSettingErrors/><UserSettings>${settings.join('')}</UserSettings>`);
}

export function soapRefusal(code: string, target = ''): Answer {
  return soapAnswer(`<ErrorCode>${code}</ErrorCode><ErrorMessage>x</ErrorMessage><RedirectTarget>${target}</RedirectTarget><UserSettings/>`);
}

/** A POX answer: what stands inside Account. */
export function poxAnswer(account: string): Answer {
  return xmlAnswer(`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"><Response xmlns="${OUTLOOK_RESPONSE}"><Account><AccountType>email</AccountType>${account}</Account></Response></Autodiscover>`);
}

export function poxFound(url = EWS): Answer {
  return poxAnswer(`<Action>settings</Action><Protocol><Type>EXPR</Type><EwsUrl>${url}</EwsUrl></Protocol>`);
}

export function poxError(code: number): Answer {
  return xmlAnswer(`<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"><Response><Error Time="10:42:07.1" Id="1"><ErrorCode>${code}</ErrorCode><Message>x</Message><DebugData/></Error></Response></Autodiscover>`);
}
