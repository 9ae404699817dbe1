import type { Credentials } from './stand-in-credentials.ts';
import { openWire } from './wire-request.ts';

/** Whom a compose window suggests: `"Clara Costa" <clara@corp.example>`. */
export type Suggestion = string;

/**
 * Types into the To line of Zimbra's web client: AuthRequest, then AutoCompleteRequest with the address book, in JSON as it sends them (zimbra.md §1.3, §6.1).
 *
 * @throws Error where it is refused
 */
export async function typeIntoToLine(serverUrl: string, text: string, { username, password }: Credentials): Promise<readonly Suggestion[]> {
  const url = new URL(serverUrl);
  const wire = openWire(url);
  const ask = async (request: string, body: object, token?: string): Promise<Readonly<Record<string, unknown>>> => {
    const context = { _jsns: 'urn:zimbra', userAgent: { name: 'ZimbraWebClient - GC (Linux)', version: '8.8.15_GA_4717' }, ...(token === undefined ? {} : { authToken: { _content: token } }), format: { type: 'js' } };
    const sent = JSON.stringify({ Header: { context }, Body: { [request]: body } });
    const answer = await wire.send('POST', `/service/soap/${request}`, ['Host', url.host, 'Content-Type', 'application/soap+xml; charset=utf-8', 'Content-Length', String(Buffer.byteLength(sent)), 'Connection', 'Keep-Alive'], sent);
    if (answer.status !== 200) throw new Error(`${request} answered ${answer.status}`);
    const answered = (JSON.parse(answer.body.toString('utf8')) as { readonly Body: Readonly<Record<string, unknown>> }).Body;
    return (answered[request.replace(/Request$/, 'Response')] ?? {}) as Readonly<Record<string, unknown>>;
  };
  try {
    const signedIn = await ask('AuthRequest', { _jsns: 'urn:zimbraAccount', account: { by: 'name', _content: username }, password: { _content: password } });
    const [{ _content: token = '' } = {}] = signedIn['authToken'] as readonly { readonly _content?: string }[];
    const { match = [] } = (await ask('AutoCompleteRequest', { _jsns: 'urn:zimbraMail', name: { _content: text }, includeGal: 1, needExp: 1 }, token)) as { readonly match?: readonly { readonly email: string }[] };
    return match.map(({ email }) => email);
  } finally {
    wire.close();
  }
}
