import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { descend } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { CAN_VALIDATE, EWS_SCHEMA } from '../../shared.ts';
import { dirname, join } from 'node:path';
import { fault, operationAnswer } from './answer-text.ts';
import { contextWith, ewsStub } from './ews-stub.ts';
import { accountOf, accounts, box, busyAnswer, outcomes, people, systemOf, WINDOW } from './servers/bench.ts';

const question = { mailboxes: people(1), window: WINDOW, details: false };
const impersonate = box("o'neil&co@works.example");

describe('acting for a mailbox', () => {
  it('is said in the header of every request, behind the version, and leads to the mailbox\'s server', async () => {
    const stub = await ewsStub(busyAnswer);
    await systemOf([stub.url], { impersonate }).freeBusy(question, contextWith());
    const [request] = stub.seen;
    const header = descend(await readXml(request!.body), 'Header');
    expect(header!.children.map((one) => one.name)).toEqual(['RequestServerVersion', 'ExchangeImpersonation']);
    expect(descend(header, 'ExchangeImpersonation', 'ConnectingSID', 'PrimarySmtpAddress')?.text).toBe(impersonate);
    expect(request!.headers['x-anchormailbox']).toBe(impersonate);
  });

  it.runIf(CAN_VALIDATE)('validates against the schema of Microsoft', async () => {
    const stub = await ewsStub(busyAnswer);
    await systemOf([stub.url], { impersonate }).freeBusy(question, contextWith());
    const block = /<t:ExchangeImpersonation.*<\/t:ExchangeImpersonation>/.exec(stub.seen[0]!.body)![0];
    const types = join(dirname(EWS_SCHEMA), 'Types.xsd');
    const judge = (document: string): string => spawnSync('xmllint', ['--noout', '--nonet', '--schema', types, '-'], { input: document, encoding: 'utf8' }).stderr.trim();
    expect(judge(block)).toBe('- validates');
    expect(judge(block.replaceAll('PrimarySmtpAddress', 'SmtpAdress'))).not.toBe('- validates');
  });

  it.each([
    ['ErrorImpersonateUserDenied', 'ApplicationImpersonation'],
    ['ErrorImpersonationDenied', 'Application EWS.AccessAsApp'],
    ['ErrorImpersonationFailed', 'account of the directory'],
    ['ErrorInvalidExchangeImpersonationHeaderData', 'primary address'],
    ['ErrorNonExistentMailbox', 'primary address'],
  ])('that is refused (%s) is a refusal of the account, with what to do; another account may be allowed', async (code, hint) => {
    const stub = await ewsStub((request) => (accountOf(request) === 'a' ? { status: 500, body: fault(code) } : busyAnswer(request)));
    const [result] = await systemOf([stub.url], { impersonate, accounts: accounts('a') }).freeBusy(question, contextWith());
    expect(result).toMatchObject({ error: { code: 'BACKEND_AUTH', details: { responseCode: code, hint: expect.stringContaining(hint) as string } } });
    expect(outcomes(await systemOf([stub.url], { impersonate, accounts: accounts('a', 'b') }).freeBusy(question, contextWith()))).toEqual(['busy']);
    const findings = await systemOf([stub.url], { impersonate, accounts: accounts('a') }).probe(contextWith());
    expect(findings[0]).toMatchObject({ step: 'sign-in', outcome: 'fail', advice: expect.stringContaining(hint) as string });
  });

  it('is no matter where nobody is acted for: a mailbox that does not exist is just that', async () => {
    const stub = await ewsStub(() => ({ status: 500, body: fault('ErrorNonExistentMailbox') }));
    expect(outcomes(await systemOf([stub.url]).freeBusy(question, contextWith()))).toEqual(['BACKEND_FAULT']);
  });

  it('is refused in a response message too', async () => {
    const stub = await ewsStub(({ operation }) => ({ body: operationAnswer(operation, undefined, 'ErrorImpersonateUserDenied') }));
    const system = systemOf([stub.url], { impersonate, lookup: 'public-folder', legacyExchangeDn: '/o=Corp/ou=First/cn=Recipients/cn={localPart}' });
    expect(outcomes(await system.freeBusy(question, contextWith()))).toEqual(['BACKEND_AUTH']);
  });
});
