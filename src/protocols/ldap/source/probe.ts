import { isLoopback } from '../../../core/loopback.ts';
import { toBridgeError } from '../../../core/errors.ts';
import type { BridgeError, ErrorCode } from '../../../core/errors.ts';
import { LIMITS } from '../../../core/limits.ts';
import { silentLogger } from '../../../core/logger.ts';
import type { ProbeFinding } from '../../../core/probe-finding.ts';
import { LdapConnection } from '../source-connection.ts';
import type { LdapServer } from '../source-connection.ts';
import { BINARY_ATTRIBUTES, attributesToRead } from './attribute-names.ts';
import type { AttributeNames } from './attribute-names.ts';
import { Complaints } from './complaints.ts';
import { decodeEntry } from './decode-entry.ts';
import { entryIdOf } from './entry-id.ts';
import { rawEntryOf } from './raw-entry.ts';
import type { RawEntry } from './raw-entry.ts';
import { flavourOf } from './root-dse.ts';

interface DirectoryProbe {
  readonly server: LdapServer;
  readonly base: string;
  readonly filter: string;
  readonly names: AttributeNames;
}

/** Connects, signs in, looks at the base, reads one page, and says how changes will be followed; the first failure ends it. Never throws. */
export async function probeDirectory(probe: DirectoryProbe, signal: AbortSignal): Promise<readonly ProbeFinding[]> {
  const findings: ProbeFinding[] = [];
  let connection: LdapConnection | undefined;
  let step = 'connection';
  try {
    connection = await LdapConnection.open(probe.server, signal);
    findings.push(connectionFinding(probe.server));
    step = 'sign-in';
    await connection.bind(probe.server);
    findings.push(signInFinding(probe.server));
    step = 'base';
    findings.push(await baseFinding(connection, probe.base));
    step = 'right to read';
    const page = await firstPage(connection, probe);
    findings.push(pageFinding(page, probe.names));
    step = 'changes';
    findings.push(await changesFinding(connection, page, probe.names));
  } catch (thrown) {
    findings.push(failure(step, toBridgeError(thrown)));
  } finally {
    await connection?.close();
  }
  return findings;
}

function connectionFinding({ url, startTls }: LdapServer): ProbeFinding {
  const step = 'connection';
  if (url.protocol === 'ldaps:' || startTls) return { step, outcome: 'ok', text: `${url.host} answers, and its certificate is trusted` };
  if (isLoopback(url.hostname)) return { step, outcome: 'ok', text: `${url.host} answers` };
  return { step, outcome: 'warn', text: `${url.host} answers, without TLS: the password and everybody's entries can be read on the way`, advice: 'use an ldaps:// url, or startTls: true' };
}

function signInFinding({ bindDn }: LdapServer): ProbeFinding {
  return { step: 'sign-in', outcome: 'ok', text: bindDn === undefined ? 'nobody signs in: what is shown to everybody is read' : 'the directory accepts bindDn and password' };
}

async function baseFinding(connection: LdapConnection, base: string): Promise<ProbeFinding> {
  const step = 'base';
  if ((await connection.entry(base, ['objectClass'])) !== undefined) return { step, outcome: 'ok', text: base === '' ? 'the root' : base };
  return { step, outcome: 'warn', text: `${base} itself cannot be read`, advice: 'check base, and whether bindDn may read it (a server hides what one may not read)' };
}

async function firstPage(connection: LdapConnection, { base, filter, names }: DirectoryProbe): Promise<readonly RawEntry[]> {
  for await (const page of connection.pages({ base, scope: 'sub', filter, attributes: attributesToRead(names), binary: BINARY_ATTRIBUTES })) return page.map(rawEntryOf);
  return [];
}

function pageFinding(page: readonly RawEntry[], names: AttributeNames): ProbeFinding {
  const step = 'right to read';
  const entries = page.flatMap((raw) => decodeEntry(raw, names, new Complaints(silentLogger, '')) ?? []);
  const count = page.length >= LIMITS.ldapPageEntries ? `at least ${page.length}` : String(page.length);
  const text = `${count} entries, of the first page ${entries.filter(({ isMailbox }) => isMailbox).length} mailboxes and lists, ${entries.filter(({ isMailbox }) => !isMailbox).length} for somebody elsewhere`;
  if (entries.length > 0) return { step, outcome: 'ok', text };
  return { step, outcome: 'warn', text: `${count} entries, none with an address`, advice: 'check base and filter, whether bindDn may read mail, and attributes: address where it is called otherwise' };
}

async function changesFinding(connection: LdapConnection, page: readonly RawEntry[], names: AttributeNames): Promise<ProbeFinding> {
  const step = 'changes';
  const flavour = await flavourOf(connection);
  const hasIds = page.every((raw) => !entryIdOf(raw, names).isDn);
  if (hasIds && flavour.kind === 'change-numbers') return { step, outcome: 'ok', text: 'Active Directory: by uSNChanged, and a pass over the ids for who is gone' };
  if (hasIds && page.every((raw) => raw.text('modifyTimestamp').length > 0)) return { step, outcome: 'ok', text: 'by modifyTimestamp, and a pass over the ids for who is gone' };
  const text = `everybody is read every ${LIMITS.ldapPauseMs / 1_000} s: the entries have no ${hasIds ? 'modifyTimestamp' : 'id that lasts (entryUUID, objectGUID)'}`;
  return { step, outcome: 'warn', text, advice: 'let bindDn read the operational attributes entryUUID and modifyTimestamp, or name another id under attributes: id' };
}

const ADVICE: Partial<Record<ErrorCode, string>> = {
  BACKEND_UNREACHABLE: 'check host and port of url (389, 636 for ldaps) and the firewall',
  BACKEND_TLS: 'name the authority of its certificate under tls.ca, and use the host name that the certificate names',
  BACKEND_MALFORMED: 'url must be that of an LDAP server (ldaps:// for a port that speaks TLS only)',
  DEADLINE: 'the server accepts and stays silent: check what stands before it, and whether the port speaks TLS (ldaps://)',
};

function failure(step: string, error: BridgeError): ProbeFinding {
  const { fault, reason, advice } = error.details;
  const said = fault ?? reason;
  return { step, outcome: 'fail', text: `${error.code}: ${error.publicMessage}${said === undefined ? '' : ` (${String(said)})`}`, advice: typeof advice === 'string' ? advice : (ADVICE[error.code] ?? 'see the log of the directory') };
}
