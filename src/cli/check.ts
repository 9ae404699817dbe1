import { X509Certificate } from 'node:crypto';
import type { RunningSystem } from '../bridge.ts';
import type { ClientConfig, Config, SystemConfig } from '../config/config.ts';
import { DAY_MS } from '../core/clock.ts';
import { domainOf, parseMailboxAddress } from '../directory/smtp-address.ts';
import type { MailboxAddress } from '../directory/smtp-address.ts';
import type { ProbeFinding } from '../freebusy/calendar-system.ts';
import type { Lookup } from '../lookup/lookup.ts';
import { CERTIFICATE_WARNING_DAYS, probeNetwork } from '../platform/network-probe.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { loadConfiguration } from './load-configuration.ts';
import { makeBridge } from './make-bridge.ts';
import { probeContext } from './probe-context.ts';
import { probeReplication } from './probe-replication.ts';
import type { Terminal } from './terminal.ts';

interface Checked {
  readonly kind: 'system' | 'client' | 'listener' | 'mailbox' | 'replication';
  readonly name: string;
  readonly findings: readonly ProbeFinding[];
}

export interface CheckOptions {
  readonly config: string;
  readonly json?: true;
  readonly verbose?: true;
}

/** `check [ADDRESS...]`: tries every system and the replication, looks at every client and listener, one line each; 1 when anything fails. */
export async function check(addresses: readonly string[], options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const loaded = await loadConfiguration(options.config, terminal);
  if (loaded === undefined) return EXIT.wrongUsage;
  const named = addresses.map((text) => parseMailboxAddress(text));
  if (named.includes(undefined)) {
    terminal.complain(`no mail address: ${addresses.filter((text) => parseMailboxAddress(text) === undefined).join(', ')}`);
    return EXIT.wrongUsage;
  }
  const config = withProbes(loaded, named.flatMap((one) => one ?? []));
  const bridge = makeBridge(config, terminal);
  if (bridge === undefined) return EXIT.wrongUsage;
  try {
    const checked = await Promise.all([...bridge.systems.map(checkSystem), ...config.clients.map((client) => checkClient(client, config))]);
    checked.push(...checkCertificate(config));
    for (const { name, findings } of await probeReplication(config)) checked.push({ kind: 'replication', name, findings });
    checked.push(...(await checkMailboxes(bridge.lookup, named.flatMap((one) => one ?? []))));
    if (options.json === true) terminal.print(JSON.stringify(checked, undefined, 2));
    else {
      for (const one of checked) for (const line of describe(one, options.verbose === true)) terminal.print(line);
      for (const warning of config.warnings) terminal.print(`warn  configuration: ${warning}`);
    }
    return checked.some((one) => outcomeOf(one) === 'fail') ? EXIT.failed : EXIT.done;
  } finally {
    await bridge.close();
  }
}

/** A system's first exact mailbox is whom its probe reads: the named ones come first. */
function withProbes(config: Config, addresses: readonly MailboxAddress[]): Config {
  const systems = config.systems.map((system): SystemConfig => {
    const own = addresses.filter((one) => system.mailboxes.includes(one) || system.domains.includes(domainOf(one)));
    return own.length === 0 ? system : { ...system, mailboxes: [...new Set([...own, ...system.mailboxes])] };
  });
  return { ...config, systems };
}

/** Every mailbox that was named, asked for as the faces ask: the coming day. */
async function checkMailboxes(lookup: Lookup, addresses: readonly MailboxAddress[]): Promise<readonly Checked[]> {
  if (addresses.length === 0) return [];
  const start = Date.now();
  const results = await lookup.freeBusy({ mailboxes: [...new Set(addresses)], window: { start, end: start + DAY_MS }, details: false }, probeContext());
  return results.map((result): Checked => {
    if (!('error' in result)) return { kind: 'mailbox', name: result.mailbox, findings: [{ step: 'lookup', outcome: 'ok', text: `${result.freeBusy.busy.length} stretches in the coming day` }] };
    const text = `no data (${result.error.code}: ${result.error.publicMessage})`;
    return { kind: 'mailbox', name: result.mailbox, findings: [{ step: 'lookup', outcome: 'fail', text, advice: `lookup ${result.mailbox} --explain shows where the question goes` }] };
  });
}

/** The bridge's own certificate, as its clients will see it. */
function checkCertificate(config: Config): readonly Checked[] {
  if (config.tls === undefined) return [];
  const certificate = new X509Certificate(config.tls.certificate);
  const daysLeft = Math.floor((Date.parse(certificate.validTo) - Date.now()) / DAY_MS);
  const names = (certificate.subjectAltName ?? certificate.subject).replaceAll('\n', ', ');
  const advice = 'renew it, then `reload`';
  const findings: ProbeFinding[] =
    daysLeft < 0
      ? [{ step: 'certificate', outcome: 'fail', text: `of ${names} ended ${-daysLeft} days ago`, advice }]
      : [{ step: 'certificate', outcome: daysLeft < CERTIFICATE_WARNING_DAYS ? 'warn' : 'ok', text: `of ${names} ends in ${daysLeft} days`, ...(daysLeft < CERTIFICATE_WARNING_DAYS ? { advice } : {}) }];
  const host = config.publicUrl === undefined ? undefined : new URL(config.publicUrl).hostname;
  if (host !== undefined && certificate.checkHost(host) === undefined && certificate.checkIP(host) === undefined) {
    findings.push({ step: 'publicUrl', outcome: 'warn', text: `the certificate does not name ${host}`, advice: 'clients that come by this name will refuse it' });
  }
  return [{ kind: 'listener', name: 'https', findings }];
}

async function checkSystem({ config, system }: RunningSystem): Promise<Checked> {
  const url = config.type === 'ifb' ? new URL(config.urlTemplate.reveal().replace(/\{\w+\}/g, 'x')) : config.url;
  const network = await probeNetwork(url, config.ca);
  const reached = network.every((one) => one.outcome !== 'fail');
  const findings = reached ? [...network, ...(await system.probe(probeContext()))] : network;
  return { kind: 'system', name: config.name, findings };
}

async function checkClient(client: ClientConfig, config: Config): Promise<Checked> {
  const who = client.credentials === undefined ? 'anonymous' : `user ${client.credentials.username}`;
  const where = client.addresses === undefined ? 'from anywhere' : `from ${client.addresses.join(', ')}`;
  const may = client.mayAsk.length === 0 || client.detail === 'none' ? 'may ask about nobody' : `may ask ${client.mayAsk.join(', ')} for ${client.detail}`;
  const findings: ProbeFinding[] = [{ step: 'rights', outcome: 'ok', text: `${who} ${where}, speaks for ${client.from}, ${may}` }];
  if (client.mayAsk.length === 0 && client.presence === 'none') findings.push({ step: 'rights', outcome: 'warn', text: 'gets no answer about anybody', advice: 'list systems under mayAsk' });
  if (client.mayAsk.includes(client.from)) findings.push({ step: 'loop', outcome: 'warn', text: `is never answered about ${client.from}, for which it speaks`, advice: `take ${client.from} out of mayAsk` });
  if (client.credentials !== undefined && config.listen.some((one) => one.protocol === 'http' && !one.isLoopback) && !config.behindProxy) {
    findings.push({ step: 'TLS', outcome: 'fail', text: 'its password would travel in the clear', advice: 'listen on https, or behind a proxy that does' });
  }
  return { kind: 'client', name: client.name, findings };
}

function outcomeOf(one: Checked): ProbeFinding['outcome'] {
  if (one.findings.some((finding) => finding.outcome === 'fail')) return 'fail';
  return one.findings.some((finding) => finding.outcome === 'warn') ? 'warn' : 'ok';
}

/** One line; what is wrong comes first, with what to do. With `verbose` every step has a line of its own below. */
function describe(one: Checked, verbose: boolean): readonly string[] {
  const outcome = outcomeOf(one);
  const wrong = one.findings.filter((finding) => finding.outcome !== 'ok').map(inWords);
  const right = one.findings.filter((finding) => finding.outcome === 'ok').map((finding) => `${finding.step}: ${finding.text}`);
  const line = `${outcome.padEnd(4)}  ${one.kind} ${one.name}: ${[...wrong, ...right].join('; ')}`;
  return verbose ? [line, ...one.findings.map((finding) => `        ${finding.outcome.padEnd(4)}  ${inWords(finding)}`)] : [line];
}

function inWords(finding: ProbeFinding): string {
  return `${finding.step}: ${finding.text}${finding.advice === undefined ? '' : ` → ${finding.advice}`}`;
}
