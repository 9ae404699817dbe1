import { createRequire } from 'node:module';

/** npm's js-zimbra: a client of Zimbra's SOAP in JSON that was not written here. It has no types; this is as much of it as is used. */
interface JsZimbra {
  readonly Communication: new (options: { readonly url: string }) => Communication;
}

interface Communication {
  auth(options: { readonly username: string; readonly secret: string; readonly isPassword?: boolean }, done: Done<void>): void;
  getRequest(options: { readonly isBatch?: boolean; readonly batchOnError?: 'stop' | 'continue' }, done: Done<RequestBuilder>): void;
  send(request: RequestBuilder, done: Done<Answer>): void;
}

interface RequestBuilder {
  addRequest(request: Question, done: Done<void>): void;
}

interface Answer {
  /** Response name → content; of a batch the one with this number. */
  get(id?: number): Readonly<Record<string, unknown>>;
}

type Done<T> = (error: Error | null | undefined, result: T) => void;

/** One request: `{name: 'SearchGalRequest', namespace: 'zimbraAccount', params: {…}}`. */
export interface Question {
  readonly name: string;
  readonly namespace: string;
  readonly params: object;
}

const load = createRequire(import.meta.url);
const { Communication: CommunicationApi } = load('js-zimbra') as JsZimbra;
// It tells everything that it does, passwords too.
const winston = createRequire(load.resolve('js-zimbra'))('winston') as { readonly loggers: { get(name: string): { readonly transports: { readonly console: { silent: boolean } } } } };
winston.loggers.get('js-zimbra').transports.console.silent = true;

/** Signs in, by password or (with `preauth`) by a signature that the client makes of it. @throws what js-zimbra makes of a fault */
export async function signedIn(url: string, username: string, secret: string, how: 'password' | 'preauth' = 'password'): Promise<(...questions: readonly Question[]) => Promise<readonly unknown[]>> {
  const client = new CommunicationApi({ url: `${url}/service/soap` });
  await settled<void>((done) => client.auth({ username, secret, isPassword: how === 'password' }, done));
  return async (...questions) => {
    const request = await settled<RequestBuilder>((done) => client.getRequest(questions.length > 1 ? { isBatch: true, batchOnError: 'continue' } : {}, done));
    for (const question of questions) await settled<void>((done) => request.addRequest(question, done));
    const answer = await settled<Answer>((done) => client.send(request, done));
    // It numbers the parts of a batch from 1.
    return questions.length > 1 ? questions.map((_, index) => answer.get(index + 1)) : [answer.get()];
  };
}

function settled<T>(work: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => work((error, result) => (error === null || error === undefined ? resolve(result) : reject(error))));
}
