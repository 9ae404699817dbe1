import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { decodeAuthenticate } from '../../../../src/platform/auth/ntlm/authenticate.ts';
import { encodeChallenge } from '../../../../src/platform/auth/ntlm/challenge.ts';
import { decodeNegotiate } from '../../../../src/platform/auth/ntlm/negotiate.ts';
import { isRightResponse, ntHash, responseKey } from '../../../../src/platform/auth/ntlm/response.ts';
import { bodyOf } from '../servers.ts';

export const PASSWORD = 'pw';
const SERVER_CHALLENGE = Buffer.from('0123456789abcdef', 'hex');

/** The challenge that the script sends, whole. */
export const CHALLENGE = encodeChallenge({ flags: 0xa208_8207 }, SERVER_CHALLENGE, Date.UTC(2026, 2, 2)).toString('base64');

/** One request as it came. */
export interface Came {
  /** Connections, numbered as they came. */
  readonly connection: number;
  readonly step: 'nothing' | 'negotiate' | 'right' | 'wrong';
  readonly method: string;
  readonly body: string;
  readonly length: string | undefined;
}

/** Plays an NTLM server on plain node:http, so that it can be made to misbehave; who signs in is known by the connection. */
export class NtlmScript {
  readonly came: Came[] = [];
  readonly #sockets = new Map<Socket, { readonly number: number; isIn: boolean }>();
  /** Headers and more of the 401 that carries the challenge. */
  challenge: (response: ServerResponse) => void = (response) => void response.writeHead(401, { 'WWW-Authenticate': ['Negotiate', `NTLM ${CHALLENGE}`] }).end('<html>401</html>');
  /** To whom has signed in. */
  answer: (response: ServerResponse, came: Came) => void = (response) => void response.end('there');

  readonly listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { socket } = request;
    const state = this.#sockets.get(socket) ?? { number: this.#sockets.size + 1, isIn: false };
    this.#sockets.set(socket, state);
    const body = await bodyOf(request);
    const message = Buffer.from(/^NTLM (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '', 'base64');
    const step = message.length === 0 ? 'nothing' : message[8] === 1 ? 'negotiate' : isRight(message) ? 'right' : 'wrong';
    const came: Came = { connection: state.number, step, method: request.method ?? '', body, length: request.headers['content-length'] };
    this.came.push(came);
    if (step === 'negotiate') {
      state.isIn = false;
      decodeNegotiate(message);
      return this.challenge(response);
    }
    if (step !== 'nothing') state.isIn = step === 'right';
    if (state.isIn) return this.answer(response, came);
    response.writeHead(401, { 'WWW-Authenticate': ['Negotiate', 'NTLM'] }).end('no');
  };

  /** Forgets who has signed in, as IIS does after a while. */
  forget(): void {
    for (const state of this.#sockets.values()) state.isIn = false;
  }

  /** Breaks off all connections. */
  cut(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get open(): number {
    return [...this.#sockets.keys()].filter((socket) => !socket.destroyed).length;
  }

  /** `1 negotiate`, `1 right` … */
  get steps(): readonly string[] {
    return this.came.map(({ connection, step }) => `${connection} ${step}`);
  }
}

function isRight(message: Buffer): boolean {
  const { username, domain, response } = decodeAuthenticate(message);
  return response !== undefined && isRightResponse(response, responseKey(ntHash(PASSWORD), username, domain), SERVER_CHALLENGE);
}
