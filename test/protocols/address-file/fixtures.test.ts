import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEntries } from '../../../src/protocols/address-file/read-entries.ts';

const ROOT = join(import.meta.dirname, '../../../fixtures/address-file');
const CASES = ['ldif', 'vcard', 'csv'].flatMap((format) => readdirSync(join(ROOT, format)).map((name) => join(format, name)));

describe('a file of the fixtures', () => {
  it.each(CASES)('%s is read as expected.json says', async (name) => {
    const folder = join(ROOT, name);
    const file = readdirSync(folder).find((one) => one.startsWith('file.'))!;
    const found = await readEntries(join(folder, file), readFileSync(join(folder, file)), new AbortController().signal);
    const expected = join(folder, 'expected.json');
    if (process.env['RECORD'] === '1') writeFileSync(expected, `${JSON.stringify(found, undefined, 2)}\n`);
    expect(found).toEqual(JSON.parse(readFileSync(expected, 'utf8')));
    expect(existsSync(join(folder, 'SOURCE.md'))).toBe(true);
    // Looking finds what the ending says.
    expect((await readEntries(join(folder, 'file'), readFileSync(join(folder, file)), new AbortController().signal)).format).toBe(found.format);
  });
});
