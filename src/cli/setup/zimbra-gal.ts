import type { Config, ZimbraConfig } from '../../config/config.ts';
import { bindNameOf } from '../../protocols/ldap/face/bind-name.ts';
import type { OtherSide } from './other-side.ts';
import { shellWord } from './quoting.ts';
import type { Step } from './script-part.ts';

/** How Zimbra completes the names of the other side: the bridge's LDAP face as its external GAL (zimbra.md §6.3). Nothing where no address book is kept. */
export function addressBook({ gal, clients }: Config, { publicUrl, system }: OtherSide<ZimbraConfig>, domain: string | undefined): readonly Step[] {
  if (gal.sources.length === 0) return [];
  const client = clients.find(({ from, credentials, gal: right }) => from === system.name && credentials !== undefined && right !== 'none');
  if (client?.credentials === undefined || gal.ldap === undefined) {
    const lacking = [...(gal.ldap === undefined ? ['gal.ldap of bridge.yaml'] : []), ...(client === undefined ? [`a client with from: ${system.name} and gal: sync`] : [])];
    return [{ title: `Autocomplete across both sides wants ${lacking.join(' and ')}.`, lines: [] }];
  }
  const { listen, base } = gal.ldap;
  const url = `${listen.protocol}://${new URL(publicUrl).hostname}:${listen.port}`;
  const modify = (target: string): readonly string[] => [
    `zmprov md ${shellWord(target)} zimbraGalMode both zimbraGalLdapURL ${shellWord(url)} zimbraGalLdapStartTlsEnabled ${listen.protocol === 'ldap' && !listen.isLoopback ? 'TRUE' : 'FALSE'} \\`,
    `  zimbraGalLdapSearchBase ${shellWord(base)} zimbraGalLdapAuthMech simple zimbraGalLdapBindDn ${shellWord(bindNameOf(client.credentials!.username, base))} zimbraGalLdapBindPassword 'THE-PASSWORD' \\`,
    "  zimbraGalLdapFilter '(|(cn=*%s*)(sn=*%s*)(gn=*%s*)(mail=*%s*))' zimbraGalAutoCompleteLdapFilter externalLdapAutoComplete",
    `# To undo it: zmprov md ${shellWord(target)} zimbraGalMode zimbra`,
  ];
  return [
    {
      title: `Autocomplete across both sides: the bridge's address book as external GAL. THE-PASSWORD: that of the client ${client.name} in bridge.yaml.`,
      lines: [
        ...(listen.isLoopback ? [`# CAUTION: gal.ldap listens on ${listen.host} only: a Zimbra on another machine needs ldaps://, or ldap:// with tls`] : []),
        ...(client.gal === 'search' ? [`# The client ${client.name} has gal: search, which suffices for completing names. To copy everybody (a GAL synchronisation account) it needs gal: sync.`] : []),
        '# Note what is there now: zmprov gd DOMAIN | grep -i gal',
        ...(domain === undefined ? system.domains : [domain]).flatMap(modify),
        '# Where the domain has a GAL synchronisation account (zimbraGalAccountId), Zimbra looks into its copy first: zmgsautil addDataSource for this one, with a polling interval, or zmgsautil deleteAccount.',
      ],
    },
  ];
}
