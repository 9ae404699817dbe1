import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it came, and the answer to it: written by hand after zimbra.md, not by our encoders. */
export type ZimbraAnswer = (body: string, request: IncomingMessage) => { readonly status?: number; readonly body: string; readonly headers?: Record<string, string> } | undefined;

export interface ZimbraStandIn {
  readonly url: URL;
  /** Bodies in the order they came. */
  readonly asked: string[];
  readonly requests: IncomingMessage[];
  close(): void;
}

/** A server on loopback that says what a test wants; undefined means it stays silent. @param slowAnswer in place of `answer`, where it takes its time */
export async function zimbraServer(answer: ZimbraAnswer, slowAnswer?: (...asked: Parameters<ZimbraAnswer>) => Promise<ReturnType<ZimbraAnswer>>): Promise<ZimbraStandIn> {
  const asked: string[] = [];
  const requests: IncomingMessage[] = [];
  const respond = async (body: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    asked.push(body);
    requests.push(request);
    const said = slowAnswer === undefined ? answer(body, request) : await slowAnswer(body, request);
    if (said === undefined) return;
    response.writeHead(said.status ?? 200, { 'content-type': 'text/xml; charset=utf-8', ...said.headers }).end(said.body);
  };
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => void respond(Buffer.concat(chunks).toString('utf8'), request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: new URL(`http://127.0.0.1:${port}/`), asked, requests, close: () => void server.close().closeAllConnections() };
}

/** zimbra.md §1.2: the envelope of an answer. */
export const envelope = (body: string): string =>
  `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Header><context xmlns="urn:zimbra"/></soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`;

/** zimbra.md §1.3. */
export const token = (name: string, lifetime = 172_799_999): string =>
  envelope(`<AuthResponse xmlns="urn:zimbraAccount"><authToken>${name}</authToken><lifetime>${lifetime}</lifetime><skin>harmony</skin></AuthResponse>`);

/** zimbra.md §1.5. */
export const fault = (code: string, role = 'Sender', reason = 'why'): { readonly status: number; readonly body: string } => ({
  status: 500,
  body: envelope(
    `<soap:Fault><soap:Code><soap:Value>soap:${role}</soap:Value></soap:Code><soap:Reason><soap:Text>${reason}</soap:Text></soap:Reason>` +
      `<soap:Detail><Error xmlns="urn:zimbra"><Code>${code}</Code><Trace>qtp1:1</Trace></Error></soap:Detail></soap:Fault>`,
  ),
});

/** Every user of a GetFreeBusyRequest by `name`, each with one slot over the window. */
export function everybody(slot: string, body: string): string {
  const [, start, end, names] = /<GetFreeBusyRequest[^>]* s="(\d+)" e="(\d+)" name="([^"]*)"/.exec(body) ?? [];
  const users = (names ?? '').split(',').map((name) => `<usr id="${name}"><${slot} s="${start}" e="${end}"/></usr>`);
  return envelope(`<GetFreeBusyResponse xmlns="urn:zimbraMail">${users.join('')}</GetFreeBusyResponse>`);
}
