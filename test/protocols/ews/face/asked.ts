import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import type { LogFields } from '../../../../src/core/logger.ts';
import type { Requester } from '../../../../src/core/request-context.ts';
import type { Directory } from '../../../../src/directory/directory.ts';
import { ServedAddresses } from '../../../../src/directory/served-addresses.ts';
import type { MailboxAddress } from '../../../../src/directory/smtp-address.ts';
import { scopeOf } from '../../../../src/platform/http-server/request-scope.ts';
import { attribute, childText, descend } from '../../../../src/platform/xml/element.ts';
import type { XmlElement } from '../../../../src/platform/xml/element.ts';
import { readXml } from '../../../../src/platform/xml/read.ts';
import { writeXml, XmlText } from '../../../../src/platform/xml/write.ts';
import type { EwsCall, EwsServices } from '../../../../src/protocols/ews/face/operation.ts';
import { FOLDER_OPERATIONS } from '../../../../src/protocols/ews/face/other-operations.ts';
import type { SchemaVersion } from '../../../../src/protocols/ews/face/schema-version.ts';
import type { PushedMessages } from '../../../../src/protocols/schedule-plus/pushed-messages.ts';
import { CAN_VALIDATE, EWS_SCHEMA } from '../../../shared.ts';

/** Who asks, and what is there for it. */
export interface Asking {
  readonly version?: SchemaVersion;
  readonly requester?: Partial<Requester>;
  /** Of the Basic sign-in; `kim@corp.example` unless said otherwise, '' for none. */
  readonly username?: string;
  readonly pushed?: PushedMessages;
  readonly now?: number;
  readonly directory?: Directory;
}

export interface Answer {
  readonly text: string;
  readonly root: XmlElement;
  /** ResponseCode of every response message, in order. */
  readonly codes: readonly string[];
  readonly messages: readonly XmlElement[];
  /** What the log would say of the request. */
  readonly logged: LogFields;
}

const REQUESTER: Requester = { name: 'peer', from: 'zimbra', mayAsk: new Set(['exchange']), detail: 'details', anonymous: false, presence: 'none' };

const NAMESPACES = 'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';

/** The operation's element as a client writes it, with the namespaces declared on it. */
export function bodyOf(operation: string, inside: string, attributes = ''): string {
  return `<m:${operation} ${NAMESPACES} ${attributes}>${inside}</m:${operation}>`;
}

/** Gives an element of a Body to its operation; the answer is held against the schema of Microsoft. */
export async function ask(body: string, asking: Asking = {}): Promise<Answer> {
  const element = await readXml(Buffer.from(body));
  const operation = FOLDER_OPERATIONS.get(element.name);
  if (operation === undefined) throw new Error(`no operation ${element.name}`);
  const request = new IncomingMessage(new Socket());
  const username = asking.username ?? 'kim@corp.example';
  const services: EwsServices = {
    source: { freeBusy: async () => [] },
    signIn: undefined as never,
    clock: { now: () => asking.now ?? Date.parse('2026-11-21T12:00:00Z') },
    workingElsewhereAs: 'free',
    addresses: new ServedAddresses([
      { name: 'exchange', domains: ['corp.example'], mailboxes: ['guest@elsewhere.example' as MailboxAddress] },
      { name: 'hidden', domains: ['hidden.example'], mailboxes: [] },
    ]),
    pushed: asking.pushed,
    directory: asking.directory,
  };
  const call: EwsCall = {
    services,
    request,
    requester: { ...REQUESTER, username: username === '' ? undefined : username, ...asking.requester },
    version: asking.version ?? 'Exchange2013',
    header: undefined,
    context: () => {
      throw new Error('no lookup is wanted here');
    },
  };
  const written = await operation(element, call);
  const text = 'length' in written ? written.map((one) => one.text).join('') : written instanceof XmlText ? written.text : writeXml(written);
  expectValid(text);
  const root = await readXml(Buffer.from(text));
  const messages = descend(root, 'ResponseMessages')?.children ?? [];
  return { text, root, messages, codes: messages.map((one) => childText(one, 'ResponseCode') ?? ''), logged: scopeOf(request).fields };
}

const answered = new Map<string, string>();

function expectValid(text: string): void {
  answered.set(text, expect.getState().currentTestName ?? '');
}

// All at once: a process for each of them would take longer than everything else.
afterAll(async () => {
  if (!CAN_VALIDATE || answered.size === 0) return;
  const folder = await mkdtemp(join(tmpdir(), 'ews-face-'));
  const files = await Promise.all(
    [...answered].map(async ([text], index) => {
      const file = join(folder, `${index}.xml`);
      await writeFile(file, text);
      return file;
    }),
  );
  const { stderr } = spawnSync('xmllint', ['--noout', '--nonet', '--schema', EWS_SCHEMA, ...files], { encoding: 'utf8', maxBuffer: 64 << 20 });
  await rm(folder, { recursive: true });
  const names = [...answered.values()];
  const wrong = stderr.split('\n').filter((line) => line !== '' && !line.endsWith(' validates'));
  expect(wrong.map((line) => line.replace(/^.*\/(\d+)\.xml/, (_path, index: string) => names[Number(index)]!))).toEqual([]);
});

/** The Id of the FolderId, ParentFolderId or ItemId somewhere in a response message. */
export function idIn(message: XmlElement | undefined, name = 'FolderId'): string {
  const found = message?.children.flatMap(function below(one: XmlElement): readonly XmlElement[] {
    return one.name === name ? [one] : one.children.flatMap(below);
  });
  return attribute(found?.[0], 'Id') ?? '';
}

/** A `PushedMessages` that knows mailboxes by their DN in lower case, and what it was told. */
export function pushedTo(known: Readonly<Record<string, string>>, store: () => Promise<void> = async () => undefined) {
  const asked: string[] = [];
  const heard: string[] = [];
  const pushed: PushedMessages = {
    mailboxOf: async (dn, from) => {
      asked.push(dn);
      return from === 'zimbra' ? (known[dn.toLowerCase()] as MailboxAddress | undefined) : undefined;
    },
    changed: async (mailbox, from) => {
      await store();
      heard.push(`${from}: ${mailbox}`);
    },
  };
  return { pushed, asked, heard };
}
