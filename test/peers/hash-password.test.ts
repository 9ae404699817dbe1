import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { hasPeer } from './peer-world.ts';

const MAIN = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'dist', 'main.js');

/** Python's scrypt, which has nothing of ours. */
const VERIFY = `
import base64, hashlib, sys
def raw(text): return base64.b64decode(text + '=' * (-len(text) % 4))
_, name, parameters, salt, digest = sys.argv[1].split('$')
given = dict(one.split('=') for one in parameters.split(','))
n, r, p = 2 ** int(given['ln']), int(given['r']), int(given['p'])
made = hashlib.scrypt(sys.argv[2].encode(), salt=raw(salt), n=n, r=r, p=p, maxmem=128 * r * (n + p + 2) + 1024, dklen=len(raw(digest)))
print(name, made == raw(digest))
`;

/** Types at a terminal of its own; shows all that a person would have seen. What goes to the standard output goes into a pipe. */
const TYPE = `
import os, pty, subprocess, sys
master, slave = pty.openpty()
child = subprocess.Popen(sys.argv[2:], stdin=slave, stdout=subprocess.PIPE, stderr=slave, start_new_session=True)
os.close(slave)
seen = b''
for line in sys.argv[1].split('|'):
    while not seen.endswith(b': '): seen += os.read(master, 100)
    os.write(master, line.encode() + (b'' if line == '\\x03' else b'\\r'))
    seen += os.read(master, 100)
out, _ = child.communicate()
while True:
    try: more = os.read(master, 100)
    except OSError: break
    if not more: break
    seen += more
print(repr((child.returncode, out.decode(), seen.decode().replace('\\r', ''))))
`;

async function run(command: string, args: readonly string[], input = ''): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined).end(input);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

const hash = async (input: string, ...more: readonly string[]) => run(process.execPath, [MAIN, 'hash-password', ...more], input);

describe.skipIf(!hasPeer('python3', '--version'))('hash-password, judged by Python (skipped where there is none)', () => {
  it.each([['swordfish\n', 'swordfish', []], ['pä:ß\r\n', 'pä:ß', ['--cost', '14']], ['no end of line', 'no end of line', ['--cost', '18']]] as const)('of %j is a hash that Python makes too', async (input, password, more) => {
    const { code, stdout, stderr } = await hash(input, ...more);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^\$scrypt\$ln=1[478],r=8,p=1\$[^$\s]+\$[^$\s]+\n$/);
    expect((await run('python3', ['-c', VERIFY, stdout.trim(), password])).stdout).toBe('scrypt True\n');
    expect((await run('python3', ['-c', VERIFY, stdout.trim(), `${password}x`])).stdout).toBe('scrypt False\n');
  });

  it.each(['', '\n', 'a\nb\n', 'x'.repeat(10_000), '\xff'])('refuses what is no password', async (input) => {
    const { code, stdout } = await hash(input);
    // Text of a pipe is UTF-8 already; the last one is a letter of two bytes and fine.
    expect([code, stdout === '']).toEqual(input === '\xff' ? [0, false] : [2, true]);
  });

  it('shows nothing of what is typed at a terminal, and takes back what was erased', async () => {
    const typed = async (keys: string) => (await run('python3', ['-c', TYPE, keys, process.execPath, MAIN, 'hash-password', '--cost', '14'])).stdout.trim();
    const right = /^\(0, '(\$scrypt\$[^']+)\\n', 'Password: \\nAgain: \\n'\)$/.exec(await typed('swordfisch\u007f\u007fh|nonsense\u0015swordfish'));
    expect(right).not.toBeNull();
    expect((await run('python3', ['-c', VERIFY, right![1]!, 'swordfish'])).stdout).toBe('scrypt True\n');
    expect(await typed('one|two')).toBe("(2, '', 'Password: \\nAgain: \\nthe two are not the same\\n')");
    expect(await typed('\u0003')).toBe("(2, '', 'Password: \\ninterrupted\\n')");
  });
});
