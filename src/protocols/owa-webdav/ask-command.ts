import { below } from '../../platform/http-client/below.ts';
import type { RequestBudget } from '../../platform/http-client/request-budget.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import { ofServer, problemAbout, problemOf } from './answer-problem.ts';
import type { Asking, OwaConnection } from './client-connection.ts';
import { readAnswer } from './read-answer.ts';

/**
 * Sends one of OWA's commands to the public folders' root and reads the document that it is answered with.
 *
 * @param query `cmd=…`
 * @throws BridgeError see problemOf: whatever is wrong with a command is about the server, because every question needs it; and those of OwaConnection
 */
export async function askCommand(server: OwaConnection, query: string, ctx: Asking, budget: RequestBudget): Promise<XmlElement> {
  const url = below(server.url, '/public/');
  url.search = query;
  const answer = await server.exchange({ method: 'GET', url, ctx, budget });
  const problem = problemOf(answer, 200);
  if (problem !== undefined) throw problemAbout(problem) === 'place' ? ofServer(problem) : problem;
  return readAnswer(answer);
}
