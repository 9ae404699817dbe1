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
});
