import type { Live, OtherSide } from './other-side.ts';
import { shellWord } from './quoting.ts';
import type { Step } from './script-part.ts';
import type { ZimbraWay } from './zimbra-ways.ts';

const EXTERNAL = 'zimbraFreebusyExternalZimbraURL';
const EXCHANGE = 'zimbraFreebusyExchangeURL';

/** The attributes by which Zimbra asks the bridge (zimbra.md §4.1). */
export function asking({ publicUrl }: OtherSide, { client }: Live, way: ZimbraWay, domain: string | undefined): Step {
  const title = `Let Zimbra ask the bridge. It asks about every address that is no mailbox of its own. THE-PASSWORD: that of the client ${client.name} in bridge.yaml.`;
  return { title, lines: way === 'zimbra' ? asZimbra(publicUrl, client.credentials.username) : asExchange(publicUrl, client.credentials.username, way, domain) };
}

function asExchange(publicUrl: string, username: string, way: 'webdav' | 'ews', domain: string | undefined): readonly string[] {
  const modify = domain === undefined ? 'zmprov mcf' : `zmprov md ${shellWord(domain)}`;
  const read = domain === undefined ? 'zmprov gacf' : `zmprov gd ${shellWord(domain)}`;
  return [
    way === 'webdav'
      ? '# As an Exchange 2003 (works in every version). --way ews takes the place of one with EWS, which shows subjects too where the client may see them.'
      : '# As an Exchange with EWS: the whole URL, and the scheme is needed although it is not used.',
    `# Note what is there now (the next lines replace it): ${read} | grep -i freebusy`,
    // There is one for all of Zimbra only, whatever --domain says.
    `#    zmprov gcf ${EXTERNAL}`,
    `# only where the line above printed something (Zimbra refuses both ways at once, and this takes effect for everybody): zmprov mcf ${EXTERNAL} ''`,
    `${modify} ${EXCHANGE} ${shellWord(way === 'webdav' ? publicUrl : `${publicUrl}/EWS/Exchange.asmx`)}`,
    `${modify} zimbraFreebusyExchangeAuthScheme basic`,
    `${modify} zimbraFreebusyExchangeAuthUsername ${shellWord(username)}`,
    `${modify} zimbraFreebusyExchangeAuthPassword 'THE-PASSWORD'`,
    `${modify} zimbraFreebusyExchangeServerType ${way}`,
    `# To undo it: ${modify} ${EXCHANGE} ''     (or what was noted above)`,
  ];
}

function asZimbra(publicUrl: string, username: string): readonly string[] {
  const { protocol, host } = new URL(publicUrl);
  const url = shellQuoted(`${protocol}//${encodeURIComponent(username)}:THE-PASSWORD@${host}`);
  return [
    '# As an external Zimbra: the bridge speaks its SOAP. It takes effect with the restart below. In the password, % escapes what has a meaning in a URL: : is %3A, @ is %40, / is %2F.',
    '# Note what is there now (the next lines replace it): zmprov gacf | grep -i freebusy',
    `#    zmprov gcf ${EXCHANGE}`,
    `# only where the line above printed something (Zimbra refuses both ways at once): zmprov mcf ${EXCHANGE} ''`,
    `zmprov mcf +${EXTERNAL} ${url}`,
    `# To undo it: zmprov mcf -${EXTERNAL} ${url}`,
  ];
}

/** Always in quotes: what is put in place of THE-PASSWORD may have a meaning in a shell. encodeURIComponent leaves `'` as it is. */
function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", '%27')}'`;
}
