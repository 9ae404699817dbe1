import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { AuditLog } from '../../src/platform/audit-log.ts';
import { keepingLogger } from './http-server/serving.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'audit-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));
const NOW = Date.parse('2026-03-02T09:00:00Z');

function auditLog(fileBytes?: number): { readonly audit: AuditLog; readonly said: ReturnType<typeof keepingLogger>['lines'] } {
  const { logger, lines: said } = keepingLogger();
  return { audit: new AuditLog({ path: join(folder, 'audit.log'), clock: { now: () => NOW }, logger, ...(fileBytes === undefined ? {} : { fileBytes }) }), said };
}
const entriesOf = async (name = 'audit.log'): Promise<readonly Record<string, unknown>[]> =>
  (await readFile(join(folder, name), 'utf8')).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);

it('writes one object a line, in order, for its owner only, behind what is there', async () => {
  const { audit } = auditLog();
  audit.record({ what: 'presence.opt-in', mailbox: 'anna@corp.example', by: 'client im', via: 'api', changed: true });
  audit.record({ what: 'presence.opt-out', by: 'line\nbreak "quoted"', via: 'command' });
  await audit.close();
  expect(await entriesOf()).toEqual([
    { at: '2026-03-02T09:00:00.000Z', what: 'presence.opt-in', mailbox: 'anna@corp.example', by: 'client im', via: 'api', changed: true },
    { at: '2026-03-02T09:00:00.000Z', what: 'presence.opt-out', by: 'line\nbreak "quoted"', via: 'command' },
  ]);
  expect((await stat(join(folder, 'audit.log'))).mode & 0o777).toBe(0o600);
  const again = auditLog().audit;
  again.record({ what: 'x', by: 'a', via: 'b' });
  await again.close();
  expect(await entriesOf()).toHaveLength(3);
});

it('becomes audit.log.1 and so on when it is full; the oldest goes', async () => {
  const { audit } = auditLog(400);
  for (let n = 0; n < 40; n++) {
    audit.record({ what: 'x', by: `n${n}`, via: 'test' });
    await audit.close();
  }
  const names = (await readdir(folder)).sort();
  expect(names).toEqual(['audit.log', ...Array.from({ length: LIMITS.auditFilesKept }, (_, n) => `audit.log.${n + 1}`)]);
  expect((await entriesOf()).at(-1)).toMatchObject({ by: 'n39' });
  expect((await entriesOf('audit.log.1')).at(-1)).toMatchObject({ by: `n${39 - (await entriesOf()).length}` });
});

it('bounds texts', async () => {
  const { audit } = auditLog();
  audit.record({ what: 'x', by: 'y'.repeat(100_000), via: 'z' });
  await audit.close();
  expect(String((await entriesOf())[0]!['by'])).toHaveLength(LIMITS.auditTextCharacters);
});

it('says that it cannot be written, once, and writes it with the next entry when it can', async () => {
  await writeFile(join(folder, 'audit.log'), '');
  const { logger, lines: said } = keepingLogger();
  const audit = new AuditLog({ path: join(folder, 'audit.log', 'below-a-file'), clock: { now: () => NOW }, logger });
  for (let n = 0; n < 3; n++) {
    audit.record({ what: 'x', by: `n${n}`, via: 'test' });
    await audit.close();
  }
  expect(said).toHaveLength(1);
  await rm(join(folder, 'audit.log'));
  audit.record({ what: 'x', by: 'n3', via: 'test' });
  await audit.close();
  expect((await entriesOf('audit.log/below-a-file')).map(({ by }) => by)).toEqual(['n0', 'n1', 'n2', 'n3']);
  // Nothing stood there, so no line had to be ended.
  expect(await readFile(join(folder, 'audit.log', 'below-a-file'), 'utf8')).toMatch(/^\{/);
});

it('begins a line of its own behind one that was torn, also by a process before', async () => {
  await writeFile(join(folder, 'audit.log'), '{"at":"2026-03-02T08:59:59.000Z","what":"lo');
  const { audit } = auditLog();
  audit.record({ what: 'x', by: 'a', via: 'b' });
  await audit.close();
  const lines = (await readFile(join(folder, 'audit.log'), 'utf8')).split('\n');
  expect(lines).toHaveLength(3);
  expect(JSON.parse(lines[1]!)).toMatchObject({ what: 'x', by: 'a' });
});

it('keeps as many files of as many bytes as it is told, also when it is told otherwise', async () => {
  const { logger } = keepingLogger();
  const audit = new AuditLog({ path: join(folder, 'audit.log'), clock: { now: () => NOW }, logger, fileBytes: 200, files: 3 });
  const fill = async (count: number): Promise<readonly string[]> => {
    for (let n = 0; n < count; n++) {
      audit.record({ what: 'lookup', by: `n${n}`, via: 'ews', mailboxes: ['anna@corp.example', 'lee@corp.example'] });
      await audit.close();
    }
    return (await readdir(folder)).sort();
  };
  expect(await fill(20)).toEqual(['audit.log', 'audit.log.1', 'audit.log.2', 'audit.log.3']);
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).size).toBeLessThanOrEqual(200);
  expect((await entriesOf())[0]).toMatchObject({ mailboxes: ['anna@corp.example', 'lee@corp.example'] });
  audit.setBounds({ fileBytes: 400, files: 1 });
  expect(await fill(20)).toEqual(['audit.log', 'audit.log.1']);
});

it('of a command never renames what a running bridge writes, before it takes over', async () => {
  const { logger } = keepingLogger();
  const audit = new AuditLog({ path: join(folder, 'audit.log'), clock: { now: () => NOW }, logger, fileBytes: 100, isGuest: true });
  const add = async (): Promise<readonly string[]> => {
    audit.record({ what: 'lookup', by: 'command root', via: 'command', mailboxes: ['anna@corp.example'] });
    await audit.close();
    return readdir(folder);
  };
  for (let n = 0; n < 3; n++) expect(await add()).toEqual(['audit.log']);
  audit.takeOver();
  expect([...(await add())].sort()).toEqual(['audit.log', 'audit.log.1']);
});

it('loses entries only when too much waits, says that once, and how many when it goes on', async () => {
  const { logger, lines: said } = keepingLogger();
  await writeFile(join(folder, 'in-the-way'), '');
  const audit = new AuditLog({ path: join(folder, 'in-the-way', 'audit.log'), clock: { now: () => NOW }, logger, fileBytes: 4 * LIMITS.auditWaitingBytes });
  const mailboxes = Array.from({ length: 500 }, (_, n) => `${'x'.repeat(200)}${n}@corp.example`);
  const fits = Math.ceil(LIMITS.auditWaitingBytes / (500 * 220));
  for (let n = 0; n < fits + 50; n++) audit.record({ what: 'lookup', by: 'client a', via: 'ews', mailboxes });
  await audit.close();
  expect(said.map(({ level }) => level)).toEqual(['error', 'error']);
  await rm(join(folder, 'in-the-way'));
  audit.record({ what: 'lookup', by: 'client b', via: 'ews' });
  await audit.close();
  await audit.close();
  const entries = await entriesOf('in-the-way/audit.log');
  const lost = entries.at(-1)!;
  expect(lost).toMatchObject({ what: 'audit.lost', by: 'the bridge', via: 'file' });
  expect(entries.length - 1 + Number(lost['count'])).toBe(fits + 51);
});
