import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { OwaConnection } from './client-connection.ts';
import type { OwaServers } from './client-servers.ts';

/**
 * Examines every server of a system, each line with the host it is about. While one is well, what fails at another is a warning: the bridge goes on without it.
 */
export async function probeEachServer(servers: OwaServers, probe: (server: OwaConnection) => Promise<readonly ProbeFinding[]>): Promise<readonly ProbeFinding[]> {
  if (servers.all.length === 1) return probe(servers.first);
  const all: (readonly ProbeFinding[])[] = [];
  // One after the other: a wrong password is sent once only.
  for (const server of servers.all) all.push((await probe(server)).map((one) => ({ ...one, text: `${server.url.host}: ${one.text}` })));
  const isOneWell = all.some((findings) => findings.every(({ outcome }) => outcome !== 'fail'));
  return all.flat().map((one) => (isOneWell && one.outcome === 'fail' ? { ...one, outcome: 'warn', advice: `${one.advice ?? ''}; until then the other servers are asked` } : one));
}
