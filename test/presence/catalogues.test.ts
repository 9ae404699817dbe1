import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { TEXT_KEYS } from '../../src/presence/catalogue.ts';
import { Catalogues } from '../../src/presence/catalogues.ts';
import { languageChain, languageTag } from '../../src/core/language-tag.ts';
import { PRESENCE_STATES } from '../../src/presence/presence.ts';
import { keepingLogger } from '../platform/http-server/serving.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'locales-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));
const put = (name: string, content: unknown): Promise<void> => writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
async function load(): Promise<{ readonly catalogues: Catalogues; readonly said: ReturnType<typeof keepingLogger>['lines'] }> {
  const { logger, lines: said } = keepingLogger();
  const catalogues = new Catalogues(logger);
  await catalogues.load(folder);
  return { catalogues, said };
}

describe('status texts', () => {
  it('are complete in English and German, and empty for available and unknown', () => {
    const catalogues = new Catalogues();
    expect(catalogues.status()).toEqual(['de', 'en'].map((language) => ({ language, origin: 'built in', missing: [], mistakes: [] })));
    expect(catalogues.textFor('in-a-meeting', 'en-US')).toBe('In a meeting');
    expect(catalogues.textFor('in-a-meeting', 'de-AT')).toBe('In einer Besprechung');
    for (const state of PRESENCE_STATES) expect(catalogues.textFor(state, 'de') === '').toBe(state === 'available' || state === 'unknown');
  });

  it('go from a language to a wider one to English, and say which they are in', async () => {
    await put('zh-Hant.json', { away: '離開' });
    const { catalogues } = await load();
    expect(catalogues.statusText('away', 'zh-Hant-TW')).toEqual({ text: '離開', language: 'zh-Hant' });
    expect(catalogues.statusText('offline', 'zh-Hant-TW')).toEqual({ text: 'Offline', language: 'en' });
    expect(catalogues.statusText('away', 'DE-ch-1996')).toEqual({ text: 'Abwesend', language: 'de' });
    expect(catalogues.statusText('away', '../../etc')).toEqual({ text: 'Away', language: 'en' });
  });

  it('say once that a language has none', async () => {
    const { catalogues, said } = await load();
    for (let n = 0; n < 3; n++) expect(catalogues.textFor('away', 'fr')).toBe('Away');
    catalogues.textFor('available', 'it');
    expect(said).toEqual([expect.objectContaining({ level: 'warn', reason: expect.stringContaining('no status texts in fr') as string })]);
    for (let n = 0; n < 1_000; n++) catalogues.textFor('away', `q${String.fromCharCode(97 + (n % 26), 97 + Math.floor(n / 26) % 26)}`);
    expect(said).toHaveLength(LIMITS.missingLanguagesSaid);
  });

  it('are read again on reload; a file that breaks leaves its language as it was, one that goes takes it along', async () => {
    await put('fr.json', { 'in-a-meeting': 'En réunion' });
    const { catalogues } = await load();
    expect(catalogues.textFor('in-a-meeting', 'fr-CA')).toBe('En réunion');
    await put('fr.json', '{ "in-a-meeting": ');
    await catalogues.load(folder);
    expect(catalogues.textFor('in-a-meeting', 'fr')).toBe('En réunion');
    expect(catalogues.mistakes()).toEqual(['fr.json: it is no JSON']);
    await rm(join(folder, 'fr.json'));
    await catalogues.load(folder);
    expect(catalogues.textFor('in-a-meeting', 'fr')).toBe('In a meeting');
  });

  it('a file changes words of a language that is built in', async () => {
    await put('de.json', { 'in-a-meeting': 'In Sitzung' });
    const { catalogues } = await load();
    expect(catalogues.textFor('in-a-meeting', 'de')).toBe('In Sitzung');
    expect(catalogues.textFor('away', 'de')).toBe('Abwesend');
    expect(catalogues.status()[0]).toEqual({ language: 'de', origin: 'built in, with a file over it', missing: [], mistakes: [] });
  });

  it('report what is missing, unknown, or no text, and take no control characters', async () => {
    await put('it.json', { 'in-a-meeting': 'In\u0000 \u202eriunione\n', away: 7, 'on-the-phone': ' ', offline: 'x'.repeat(LIMITS.statusTextCharacters + 1), __proto__x: 'y', subject: 'Secret' });
    const { catalogues, said } = await load();
    const status = catalogues.status().find(({ language }) => language === 'it')!;
    expect(status.missing).toEqual(TEXT_KEYS.filter((key) => key !== 'in-a-meeting'));
    expect(status.mistakes).toEqual(['in-a-meeting: control characters were taken out', 'away: should be a text', 'on-the-phone: is empty', `offline: is longer than ${LIMITS.statusTextCharacters} characters`, '__proto__x: there is no such text', 'subject: there is no such text']);
    expect(catalogues.textFor('in-a-meeting', 'it')).toMatch(/^In +riunione$/);
    expect(said.length).toBe(catalogues.problems().length);
  });

  it.each([
    ['no-language-at-all.json', '{}', 'is named after no language'],
    ['fr.json', '[]', 'no JSON object'],
    ['fr.json', Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), ''],
    ['fr.json', `{"away":"${'x'.repeat(LIMITS.catalogueBytes)}"}`, 'is larger than'],
    ['fr.json', '['.repeat(30_000), 'no JSON'],
  ])('meet %s that is none', async (name, content, mistake) => {
    await put(name, content);
    const { catalogues } = await load();
    expect(catalogues.problems().join()).toContain(mistake);
    expect(catalogues.textFor('away', 'fr')).toBe('Away');
  });

  it('a folder that is not there, a folder in place of a file', async () => {
    await mkdir(join(folder, 'fr.json'));
    const { catalogues } = await load();
    expect(catalogues.mistakes()).toEqual(['fr.json: it is no file']);
    await chmod(folder, 0o700);
    await catalogues.load(join(folder, 'nowhere'));
    expect(catalogues.mistakes()).toEqual(['presence.locales cannot be read: ENOENT']);
    await catalogues.load(undefined);
    expect(catalogues.mistakes()).toEqual([]);
  });
});

describe('language tags', () => {
  it.each([['de-at', 'de-AT'], ['EN', 'en'], ['zh-hant-tw', 'zh-Hant-TW'], ['sr-Latn', 'sr-Latn']])('%s is %s', (text, tag) => expect(languageTag(text)).toBe(tag));
  it.each(['', 'no tag', 'de_AT', '-', 'de-', 'd', '../en', 'en\n', 'x'.repeat(100), 'no-language-at-all', 'x-klingon'])('%j is none', (text) => expect(languageTag(text)).toBeUndefined());
  it('a chain leaves out what introduced a part (RFC 4647 §3.4)', () => expect(languageChain('zh-Hant-CN-x-private1')).toEqual(['zh-Hant-CN-x-private1', 'zh-Hant-CN', 'zh-Hant', 'zh']));
});
