import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { describeProblems } from '../../src/config/config-error.ts';
import type { Config } from '../../src/config/config.ts';
import { Secret } from '../../src/config/secret.ts';
import { MINIMAL, linesOf, load, refusal } from './temporary-bridge.ts';

const withPassword = (password: string) => MINIMAL.replace('secret-of-exchange', password);

it('shows a secret to nobody who does not ask for it by name', () => {
  const secret = new Secret('CANARY');
  const shown = [`${String(secret)}`, JSON.stringify({ secret }), inspect({ secret }, { showHidden: true, depth: null }), inspect(new Error('x', { cause: secret }))];
  for (const text of shown) expect(text).not.toContain('CANARY');
  expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
  expect(secret.reveal()).toBe('CANARY');
});

it.each([
  ['a newline at the end of the file is not part of it', 'geheim\n', 'geheim'],
  ['nor is a Windows one', 'geheim\r\n', 'geheim'],
  ['blanks are', ' geheim ', ' geheim '],
])('%s', async (_what, content, expected) => {
  const config = await load(withPassword('{ file: pw }'), {}, { pw: content });
  expect(passwordOf(config)).toBe(expected);
});

it('reads secrets anew with every load', async () => {
  const password = async (value: string) => passwordOf(await load(withPassword('{ env: PW }'), { PW: value }));
  expect([await password('one'), await password('two')]).toEqual(['one', 'two']);
});

it.each([
  ['an environment variable that is not set', '{ env: EX_PASSWORD }', 'the environment variable EX_PASSWORD is not set'],
  ['an empty environment variable', '{ env: EMPTY_ONE }', 'the environment variable EMPTY_ONE is empty'],
  ['a file that is not there', '{ file: gone }', /^\/.*\/gone cannot be read \(ENOENT\)$/],
  ['an empty file', '{ file: empty }', /\/empty is empty$/],
  ['a file of two lines', '{ file: two }', 'holds a line break or another control character'],
  ['a file that is no UTF-8', '{ file: latin }', /\/latin is no UTF-8 text$/],
  ['a file of a megabyte', '{ file: huge }', /\/huge is larger than 16384 bytes$/],
  ['a folder', '{ file: . }', / is no regular file$/],
  ['a device', '{ file: /dev/zero }', '/dev/zero is no regular file'],
  ['an empty text', '""', 'is empty; it should be a text, {env: NAME} or {file: PATH}'],
  ['nothing', '', 'is empty; it should be a text, {env: NAME} or {file: PATH}, or the key left out where it may be'],
  ['two sources at once', '{ env: A, file: B }', 'should be a text, {env: NAME} or {file: PATH}, not a map of several keys'],
  ['a source nobody knows', '{ vault: x }', 'should be a text, {env: NAME} or {file: PATH}'],
  ['digits without quotes, whose zeros YAML would drop', '0815', 'should be a text, {env: NAME} or {file: PATH}; put it in quotes, YAML takes it for a number'],
])('refuses %s', async (_what, password, message) => {
  const files = { empty: '\n', two: 'a\nb\n', latin: Buffer.from([0x67, 0xfc]), huge: 'x'.repeat(1024 * 1024) };
  const lines = await linesOf(withPassword(password), { EMPTY_ONE: '' }, files);
  expect(lines).toHaveLength(1);
  const said = lines[0]?.replace('systems.exchange.password: ', '');
  if (typeof message === 'string') expect(said).toBe(message);
  else expect(said).toMatch(message);
});

/** Every place where a secret may stand, each time with something wrong beside or in it. */
const CANARY = 'hunter2CANARY';
it.each([
  ['a list', withPassword(`[${CANARY}]`)],
  ['an odd map', withPassword(`{ text: ${CANARY} }`)],
  ['a password given as env', withPassword(`{ env: ${CANARY} }`)],
  ['a password with signs given as env', withPassword(`{ env: "${CANARY}-!" }`)],
  ['a control character', withPassword(`"${CANARY}\\u0007"`)],
  ['an escape that YAML does not have', withPassword(`"${CANARY}\\q"`)],
  ['a quote left open', withPassword(`"${CANARY}`)],
  ['a value that looks like an alias', withPassword(`*${CANARY}`)],
  ['a value that looks like a tag', withPassword(`!${CANARY} x`)],
  ['a value that looks like a map', withPassword(`${CANARY}: x: y`)],
  ['a sign that begins no value', withPassword(`@${CANARY}`)],
  ['a duplicate key', `${MINIMAL}    password: ${CANARY}`],
  ['credentials in a URL', MINIMAL.replace('https://ews', `https://u:${CANARY}@ews`)],
  ['a query in a URL that is wrong', MINIMAL.replace('asmx', `asmx?k=${CANARY}#x`)],
  ['a query in a publicUrl', `${MINIMAL}publicUrl: https://b.example/?${CANARY}`],
  ['a brace in the query of an ifb URL', `systems: { p: { type: ifb, url: "https://x.example/{address}?k={${CANARY}}" } }`],
  ['a redis URL', `${MINIMAL}redis: "redis://:${CANARY}@ x"`],
  ['a redis node', `${MINIMAL}redis: { cluster: ["redis://:${CANARY}@ x"] }`],
  ['a short secret of notify beside a mistake', `${MINIMAL}notify: { secret: ${CANARY}, key: ${CANARY} }`],
  ['a notify secret given as text', `${MINIMAL}notify: ${CANARY}`],
  ['a colon without its blank', `systems: { e: { username: u, password:${CANARY} } }`],
  ['an equals sign for a colon', `${MINIMAL}    password=${CANARY}: x`],
  ['a right secret beside a mistake elsewhere', `${withPassword(CANARY)}typo: 1`],
])('never shows a secret in a mistake: %s', async (_what, yaml) => {
  const error = await refusal(yaml);
  for (const text of [describeProblems(error), error.message, inspect(error, { depth: null, showHidden: true }), JSON.stringify(error)]) {
    expect(text).not.toContain('CANARY');
    expect(text).not.toContain('hunter2');
  }
});

it('never shows a secret of a file that is right', async () => {
  const config = await load(
    `systems:
  e: { type: exchange-webdav, url: "http://e.example", username: u, password: CANARY1, domains: [e.example] }
  p: { type: ifb, url: "https://p.example/{address}?key=CANARY2", domains: [p.example], username: u, password: { env: P } }
clients: [{ name: c, username: c, password: { file: f } }]
redis: redis://:CANARY5@r.example
notify: { secret: { env: N } }
`,
    { P: 'CANARY3', N: 'CANARY6' },
    { f: 'CANARY4' },
  );
  expect(inspect(config, { depth: null, showHidden: true }) + JSON.stringify(config)).not.toContain('CANARY');
});

function passwordOf({ systems: [system] }: Config): string | undefined {
  return system?.type === 'exchange-ews' && system.signIn.kind !== 'oauth' ? system.signIn.accounts[0]?.password.reveal() : undefined;
}
