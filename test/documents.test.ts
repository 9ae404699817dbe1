import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createMetrics } from '../src/platform/metrics.ts';
import { load } from './config/temporary-bridge.ts';

const ROOT = new URL('../', import.meta.url);
const read = (path: string) => readFile(new URL(path, ROOT), 'utf8');

/** Anchors as GitHub makes them of headings: small letters, blanks become hyphens, punctuation goes. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  return new Set([...prose(markdown).matchAll(/^#+ (.+)$/gm)].map(([, title]) => title!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')));
}

/** Without blocks of code, in which `#` begins a comment. */
function prose(markdown: string): string {
  return markdown.replace(/^ *```[\s\S]*?^ *```/gm, '');
}

it('every link in a document leads somewhere', async () => {
  const rooms = await Promise.all(['src', 'test'].map(async (room) => (await readdir(new URL(room, ROOT), { recursive: true })).map((path) => `${room}/${path}`)));
  const documents = [...(await readdir(ROOT)), ...rooms.flat()].filter((path) => path.endsWith('.md'));
  expect(documents.length).toBeGreaterThan(10);
  const broken: string[] = [];
  for (const path of documents) {
    const text = prose(await read(path));
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [file, anchor] = target!.split('#');
      const url = file === '' ? new URL(path, ROOT) : new URL(file!, new URL(path, ROOT));
      if (!existsSync(url) || (anchor !== undefined && !anchorsOf(await readFile(url, 'utf8')).has(anchor))) broken.push(`${path}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

it('README names every metric, and none that is not there', async () => {
  const [, table] = /\n\| metric [\s\S]*?\n((?:\|.*\n)+)/.exec(await read('README.md'))!;
  const named = new Set<string>();
  for (const row of table!.split('\n')) {
    let family = '';
    for (const [, name] of row.split('|')[1]?.matchAll(/`([a-z_]+)`/g) ?? []) {
      // `_breaker_open` behind `backend_requests_in_flight` is of the same family.
      if (!name!.startsWith('_')) family = name!.split('_')[0]!;
      named.add(`freebusy_${name!.startsWith('_') ? family : ''}${name}`);
    }
  }
  const { body } = await createMetrics().expose();
  const made = new Set([...body.matchAll(/^# HELP (freebusy_\w+)/gm)].map(([, name]) => name!));
  // Those of presence have a chapter of their own.
  const presence = [...made].filter((name) => name.startsWith('freebusy_presence_'));
  expect([...named].sort()).toEqual([...made].filter((name) => !presence.includes(name)).sort());
  const readme = await read('README.md');
  expect(presence.filter((name) => !readme.includes(name))).toEqual([]);
});

it('what README shows of bridge.yaml is taken as it stands', async () => {
  const blocks = [...(await read('README.md')).matchAll(/^( *)```yaml\n([\s\S]*?)^ *```/gm)].map(([, indent, text]) => parse(text!.replaceAll(new RegExp(`^${indent}`, 'gm'), '')) as Record<string, unknown>);
  // ejabberd's own file is shown too.
  const ours = blocks.filter((one) => !('api_permissions' in one));
  expect(ours.map((one) => Object.keys(one))).toEqual([['systems'], ['issuers', 'clients'], ['presence']]);
  const files = { 'bridge.pem': await read('fixtures/config/tls/cert.pem'), 'bridge.key': await read('fixtures/config/tls/key.pem') };
  const config = await load(stringify(Object.assign({ listen: 'http://127.0.0.1:8480' }, ...ours)), { EXCHANGE_PASSWORD: 'a', EXCHANGE_PASSWORD_2: 'b' }, files);
  expect(config.warnings).toEqual([]);
});
