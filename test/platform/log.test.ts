import { describe, expect, it } from 'vitest';
import type { LogFields } from '../../src/core/logger.ts';
import { createLogger } from '../../src/platform/log.ts';
import type { LogLevel } from '../../src/platform/log.ts';

function logged(run: (logger: ReturnType<typeof createLogger>) => void, level: LogLevel = 'debug'): readonly Record<string, unknown>[] {
  const lines: string[] = [];
  run(createLogger(level, { write: (line) => void lines.push(line) }));
  for (const line of lines) expect(line).toMatch(/^[^\n]*\n$/);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the log', () => {
  it('is one JSON object a line, with level, time and message', () => {
    const [line] = logged((log) => log.warn({ code: 'DEADLINE', mailboxes: 3 }, 'no data'));
    expect(line).toEqual({ level: 'warn', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string, code: 'DEADLINE', mailboxes: 3, msg: 'no data' });
  });

  it('drops every field that is not on the list, however it comes', () => {
    const fields = { code: 'X', password: 'canary', subject: 'canary', url: 'http://x/?canary', authorization: 'canary', err: new Error('canary'), __proto__: { token: 'canary' }, constructor: 'canary', headers: { cookie: 'canary' } } as unknown as LogFields;
    const lines = logged((log) => {
      log.debug(fields, 'a');
      log.info(fields, 'b');
      log.warn(fields, 'c');
      log.error(fields, 'd');
    });
    expect(lines.map((line) => Object.keys(line).sort())).toEqual(Array(4).fill(['code', 'level', 'msg', 'time']));
    expect(JSON.stringify(lines)).not.toContain('canary');
  });

  it('keeps texts, numbers and booleans only, even in listed fields', () => {
    const fields = { reason: { text: 'canary' }, code: ['canary'], client: null, system: undefined, status: 1n, operation: () => 'canary', face: Symbol('canary') } as unknown as LogFields;
    expect(Object.keys(logged((log) => log.info(fields, 'x'))[0]!).sort()).toEqual(['level', 'msg', 'time']);
  });

  it('a text cannot begin a line of its own, nor move a terminal’s cursor, nor fill the disk', () => {
    const [line] = logged((log) => log.info({ reason: `a\r\n{"level":"error"}\u001b[2J\u0000\u007f`, client: 'x'.repeat(1_000_000) }, 'x'));
    expect(line!['reason']).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    expect(String(line!['client']).length).toBeLessThanOrEqual(2_000);
  });

  it('is silent below its level', () => {
    expect(logged((log) => {
      log.debug({}, 'a');
      log.info({}, 'b');
      log.warn({}, 'c');
    }, 'warn').map((line) => line['msg'])).toEqual(['c']);
  });
});
