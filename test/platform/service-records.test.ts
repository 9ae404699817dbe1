import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceRecords } from '../../src/platform/service-records.ts';

/** A name server (RFC 1035) that knows one name, and is asked by Node's own resolver. */
let server: Socket;
let answer: (question: Buffer) => Buffer | undefined = () => undefined;

beforeAll(async () => {
  server = createSocket('udp4');
  server.on('message', (question, from) => {
    const reply = answer(question);
    if (reply !== undefined) server.send(reply, from.port, from.address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => void server.close());

const name = (text: string): Buffer => Buffer.concat([...text.split('.').filter((one) => one !== '').map((one) => Buffer.from([one.length, ...Buffer.from(one)])), Buffer.from([0])]);
const u16 = (...values: readonly number[]): Buffer => Buffer.from(values.flatMap((one) => [one >> 8, one & 0xff]));
/** A reply to a question: its code, and SRV records of the name that was asked (RFC 2782). */
function reply(question: Buffer, code: number, records: readonly { priority: number; weight: number; port: number; host: string }[]): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const rows = records.map(({ priority, weight, port, host }) => {
    const data = Buffer.concat([u16(priority, weight, port), name(host)]);
    return Buffer.concat([u16(0xc00c, 33, 1, 0, 60, data.length), data]);
  });
  return Buffer.concat([question.subarray(0, 2), u16(0x8180 | code, 1, records.length, 0, 0), question.subarray(12, end), ...rows]);
}
const ask = async (signal = new AbortController().signal, timeoutMs = 5_000): Promise<unknown> => serviceRecords('_autodiscover._tcp.corp.example', timeoutMs, signal, [`127.0.0.1:${server.address().port}`]);

describe('DNS SRV', () => {
  it('gives places by priority, then by weight', async () => {
    answer = (question) =>
      reply(question, 0, [
        { priority: 20, weight: 0, port: 443, host: 'last.corp.example' },
        { priority: 10, weight: 1, port: 8443, host: 'second.corp.example' },
        { priority: 10, weight: 5, port: 443, host: 'First.Corp.Example' },
      ]);
    expect(await ask()).toEqual([
      { host: 'first.corp.example', port: 443 },
      { host: 'second.corp.example', port: 8443 },
      { host: 'last.corp.example', port: 443 },
    ]);
  });

  it('of a name that does not exist, or without records, or that leads to the root, is nothing', async () => {
    for (const code of [3, 0]) {
      answer = (question) => reply(question, code, []);
      expect(await ask()).toEqual([]);
    }
    answer = (question) => reply(question, 0, [{ priority: 0, weight: 0, port: 0, host: '.' }]);
    expect(await ask()).toEqual([]);
  });

  it('from a name server that fails or talks nonsense is an error that may pass', async () => {
    for (const wrong of [(question: Buffer) => reply(question, 2, []), (question: Buffer) => Buffer.concat([reply(question, 0, [{ priority: 0, weight: 0, port: 1, host: 'a' }]).subarray(0, -9), u16(9)])]) {
      answer = wrong;
      await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(/^(?:BACKEND_UNREACHABLE|DEADLINE)$/) as string, temporary: true });
    }
  });

  it('from one that is silent ends with the signal', async () => {
    answer = () => undefined;
    const gone = new AbortController();
    const asked = ask(gone.signal);
    gone.abort();
    await expect(asked).rejects.toMatchObject({ code: 'DEADLINE' });
    await expect(ask(new AbortController().signal, 10)).rejects.toMatchObject({ code: 'DEADLINE' });
  });
});
