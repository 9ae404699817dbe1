import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Config } from '../../config/config.ts';
import { missingAutodiscoverNames } from '../certificate-names.ts';
import type { Live, OtherSide } from './other-side.ts';
import { powerShell, shellWord } from './quoting.ts';
import type { Step } from './script-part.ts';

type LiveSide = Pick<OtherSide, 'publicUrl'> & { readonly live: Live };

/** The authority of the bridge's certificate; a public one is trusted already. Import-Certificate came with Windows Server 2012. */
export function trust({ publicUrl }: LiveSide, isOld: boolean): readonly Step[] {
  if (!publicUrl.startsWith('https:')) return [];
  return [
    {
      title: 'Trust: only where the bridge has its certificate from an authority of your own, on every Exchange server (ca.cer is that authority, without a key):',
      lines: [isOld ? '#    certutil -addstore Root ca.cer' : '#    Import-Certificate -FilePath .\\ca.cer -CertStoreLocation Cert:\\LocalMachine\\Root'],
    },
  ];
}

/** For generations that cannot be told where Autodiscover is (exchange.md §4.4). */
export function dnsRecords({ tls }: Config, { publicUrl, live: { domains } }: LiveSide, readsSrv: boolean): Step {
  const { hostname, port } = new URL(publicUrl);
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(bare);
  const target = family === 0 ? `CNAME  ${hostname}.` : `${family === 4 ? 'A' : 'AAAA'}  ${bare}`;
  const isUsual = port === '' || port === '443';
  const missing = tls === undefined ? [] : missingAutodiscoverNames(new X509Certificate(tls.certificate), domains);
  return {
    title: 'DNS: this generation cannot be told where Autodiscover is; it looks there, by https on port 443, and wants a certificate that names the host it asked for:',
    lines: [
      ...domains.map((domain) => `#    autodiscover.${domain}.  IN  ${target}`),
      '#    Only in the DNS that the Exchange servers ask (split DNS): the public record of that name stays as it is, other clients use it.',
      ...(isUsual ? [] : [`#    The bridge is reached on port ${port}: have port 443 of these names lead to it${readsSrv && family === 0 ? ', or:' : '.'}`]),
      ...(isUsual || !readsSrv || family !== 0 ? [] : domains.map((domain) => `#    _autodiscover._tcp.${domain}.  IN  SRV  0 0 ${port} ${hostname}.`)),
      ...(missing.length === 0 ? [] : [`# CAUTION: the certificate of bridge.yaml (tls:) does not name ${missing.join(', ')}: get one that does`]),
    ],
  };
}

/** The user name and password, and an address space for each domain: the match is exact, a sub-domain needs its own. */
export function addressSpaces({ publicUrl, live: { client, domains } }: LiveSide, isTold: boolean): Step {
  const target = isTold ? ` -TargetAutodiscoverEpr ${powerShell(autodiscoverUrl(publicUrl))}` : '';
  return {
    title: `The address spaces. PowerShell asks for the password: that of the client ${client.name} in bridge.yaml.`,
    lines: [
      ...(domains.length > 0 ? [] : ['# CAUTION: the systems under mayAsk list mailboxes but no domains; an address space is for a domain, so nobody is asked live']),
      `$bridge = Get-Credential ${powerShell(credentialName(client.credentials.username))}`,
      ...domains.map((domain) => `Add-AvailabilityAddressSpace -ForestName ${powerShell(domain)} -AccessMethod OrgWideFB -Credentials $bridge${target}`),
      `Get-AvailabilityAddressSpace | Format-List ForestName,AccessMethod${isTold ? ',TargetAutodiscoverEpr' : ''},UserName`,
      ...domains.map((domain) => `# To undo it, and before these lines again where the password has changed: Remove-AvailabilityAddressSpace ${powerShell(domain)}`),
    ],
  };
}

/** The question that Exchange asks first (exchange.md §4.4, KB 3010570), for a shell with curl. */
export function tryIt({ publicUrl, live: { client, domains } }: LiveSide): Step {
  const domain = domains[0] ?? 'zimbra.example';
  const ntlm = client.auth.includes('basic') ? '' : '--ntlm ';
  const question =
    '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"><Request>' +
    `<EMailAddress>01B62C6D-4324-448f-9884-5FEC6D18A7E2@${domain}</EMailAddress>` +
    '<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>';
  return {
    title: 'Try it. As Exchange asks, from a shell with curl (it asks for the password; --cacert ca.pem for an authority of your own):',
    lines: [
      `#    curl ${ntlm}-u ${shellWord(client.credentials.username)} -H 'Content-Type: text/xml' ${shellWord(autodiscoverUrl(publicUrl))} -d '${question}'`,
      `#    Good: it names ${publicUrl}/EWS/Exchange.asmx. A 200 with "The email address can't be found": ${domain} is of no system under mayAsk. 401: user name or password.`,
      `#    Then look at somebody of ${domain} in the scheduling assistant of OWA. What fails is event 4002 of MSExchange Availability, and a line in the bridge's log.`,
    ],
  };
}

function autodiscoverUrl(publicUrl: string): string {
  return `${publicUrl}/autodiscover/autodiscover.xml`;
}

/** Exchange takes `DOMAIN\user` and mail addresses only; the bridge looks past a domain that none of its clients has. */
function credentialName(username: string): string {
  return /[\\@]/.test(username) ? username : `BRIDGE\\${username}`;
}
