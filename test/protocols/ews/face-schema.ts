import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EWS_SCHEMA } from '../../shared.ts';

/** What Microsoft's schema has against the bodies (and version headers) of these answers; empty where all are valid. Faults have no schema and are passed over. */
export function schemaComplaints(answers: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'ews-bodies-'));
  try {
    const files: string[] = [];
    const keep = (text: string): void => {
      const file = join(directory, `${files.length}.xml`);
      writeFileSync(file, text);
      files.push(file);
    };
    for (const answer of new Set(answers)) {
      const parts = /<s:Header>(.*?)<\/s:Header><s:Body>(.*)<\/s:Body>/s.exec(answer);
      if (parts === null) throw new Error(`no envelope: ${answer.slice(0, 200)}`);
      if (files.length === 0) keep(parts[1]!);
      if (!parts[2]!.startsWith('<s:Fault>')) keep(parts[2]!);
    }
    const { stderr } = spawnSync('xmllint', ['--noout', '--nonet', '--schema', EWS_SCHEMA, ...files], { encoding: 'utf8', maxBuffer: 1 << 26 });
    return stderr.split('\n').filter((line) => line !== '' && !line.endsWith(' validates')).slice(0, 20).join('\n');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
