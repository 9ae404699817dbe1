import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { HttpAnswer } from '../../platform/http-client/http-client.ts';

/** What the server says of its version, in whichever header; nothing where it keeps silent. */
export function versionFinding(answer: HttpAnswer): readonly ProbeFinding[] {
  const store = answer.headers['ms-webstorage'];
  const owa = answer.headers['x-owa-version'];
  const web = answer.headers['microsoftofficewebserver'] ?? answer.headers['server'];
  const text = [store && `store ${store}${generation(store)}`, owa && `OWA ${owa}`, web].filter((one) => one !== undefined && one !== '').join(', ');
  return text === '' ? [] : [{ step: 'version', outcome: 'ok', text: text.replace(/[^\x20-\x7e]/g, '').slice(0, 200) }];
}

/** The store's build: exchange.md §2.6. */
function generation(build: string): string {
  if (build.startsWith('6.0.')) return ' (Exchange 2000)';
  if (build.startsWith('6.5.')) return ' (Exchange 2003)';
  return build.startsWith('8.') ? ' (Exchange 2007)' : '';
}
