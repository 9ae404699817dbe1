import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run as runProgram } from '../running.ts';
import { commandActor } from '../../../src/cli/presence/presence-control.ts';
import { RemotePresence } from '../../../src/cli/presence/remote-presence.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { ControlSocket } from '../../../src/platform/control-socket.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import { FakePresence, shownAs } from '../../presence/fake-presence.ts';
import { presenceBed } from './running-presence.ts';
import type { PresenceBed } from './running-presence.ts';

const BY = commandActor();
const anna = 'anna@corp.example' as MailboxAddress;
let service: FakePresence;
let bed: PresenceBed;
afterEach(() => bed.close());

describe('presence, of a running bridge', () => {
  let asked: (readonly string[])[] = [];
  beforeEach(async () => {
    service = new FakePresence();
    service.show('anna@corp.example', shownAs('in-a-meeting'));
    service.show('lee@corp.example', shownAs('away', { reason: 'manual', until: null }));
    asked = [];
    bed = await presenceBed('systems: {}\n', {
      service,
      everyone: async function* (systems) {
        asked.push(systems);
        if (systems.includes('nowhere')) throw new BridgeError('INVALID_REQUEST', 'there is no system nowhere');
        yield ['anna@corp.example', 'kim@zimbra.example'] as MailboxAddress[];
        yield ['off@corp.example', 'new@corp.example'] as MailboxAddress[];
      },
    });
  });

  it('status says how it stands; with --json the body of the admin API', async () => {
    const { exit, printed } = await bed.run('status');
    expect(exit).toBe(0);
    expect(printed[0]).toBe('2 opted in: 1 in-a-meeting, 1 away');
    expect(printed[1]).toMatch(/^gateway Head office {2}Exchange -- EWS Server {2}2 mailboxes {2}streaming {2}2 live {2}heard .* ago$/);
    expect(printed[2]).toBe('publisher sip im.corp.example:5060  0 waiting  1 failing  published never  trouble: it cannot be reached');
    expect(printed.at(-1)).toBe('pending: the notification port moves: 3 subscriptions are left');
    const json = JSON.parse((await bed.run('status', '--json')).printed.join('\n')) as { optedIn: number; gateways: { watch: { heardAt: string } }[] };
    expect(json).toMatchObject({ optedIn: 2, gateways: [{ watch: { heardAt: '2026-03-02T09:00:00.000Z', trouble: null } }], idle: null });
  });

  it('list shows everybody who is shown, and who switched them', async () => {
    const { printed } = await bed.run('list');
    expect(printed).toEqual([
      'anna@corp.example  in-a-meeting  until 2026-03-02T10:00:00.000Z             Head office  live  switched by test  2026-03-02T09:00:00.000Z',
      'lee@corp.example   away                                          by manual  Head office  live  switched by test  2026-03-02T09:00:00.000Z',
    ]);
    const json = JSON.parse((await bed.run('list', '--json')).printed.join('\n')) as unknown;
    expect(json).toMatchObject({ mailboxes: [{ address: 'anna@corp.example', state: 'in-a-meeting', through: 'Head office', optIn: { optIn: true, by: 'test' } }, { address: 'lee@corp.example' }] });
  });

  it('opt-in and opt-out switch those who are named, by whom is said; 1 where one cannot be', async () => {
    expect(await bed.run('opt-in', 'New@corp.example', 'anna@corp.example')).toEqual({ exit: 0, printed: ['new@corp.example: switched on', 'anna@corp.example: was switched on already'], complained: [] });
    expect(service.calls[0]).toEqual(['switch', 'new@corp.example', true, BY]);
    expect(await bed.run('opt-out', 'anna@corp.example', 'ghost@corp.example')).toEqual({ exit: 1, printed: ['anna@corp.example: switched off'], complained: ['ghost@corp.example: nobody knows this mailbox'] });
    service.hasGateway = false;
    expect(await bed.run('opt-in', 'x@corp.example')).toMatchObject({ exit: 1, complained: [expect.stringContaining('no gateway')] });
  });

  it('opt-in --all shows whom it would switch on, and does it only with --yes; an own "off" stays', async () => {
    service.states.set('off@corp.example' as MailboxAddress, { mailbox: 'off@corp.example' as MailboxAddress, isOptedIn: false, by: 'client im', at: 5, language: undefined });
    const expected = ['kim@zimbra.example: would be switched on', 'new@corp.example: would be switched on', '2 would be switched on'];
    expect(await bed.run('opt-in', '--all')).toEqual({ exit: 0, printed: expected, complained: ['nothing was changed: add --yes to do it'] });
    expect(await bed.run('opt-in', '--all', '--dry-run')).toEqual({ exit: 0, printed: expected, complained: [] });
    expect(service.calls).toEqual([]);
    const { exit, printed } = await bed.run('opt-in', '--all', '--yes', '--system', 'corp', '--system', 'zimbra');
    expect([exit, printed.at(-1)]).toEqual([0, '2 switched on']);
    expect(asked.at(-1)).toEqual(['corp', 'zimbra']);
    expect(service.calls.map(([, mailbox]) => mailbox)).toEqual(['kim@zimbra.example', 'new@corp.example']);
    expect(await bed.run('opt-in', '--all', '--system', 'nowhere')).toMatchObject({ exit: 2, complained: ['there is no system nowhere'] });
  });

  it('opt-out --all wants --yes too', async () => {
    expect(await bed.run('opt-out', '--all')).toMatchObject({ exit: 0, printed: ['anna@corp.example: would be switched off', 'lee@corp.example: would be switched off', '2 would be switched off'] });
    expect(service.calls).toEqual([]);
    expect(await bed.run('opt-out', '--all', '--yes')).toMatchObject({ exit: 0 });
    expect(service.optIns().every(({ isOptedIn }) => !isOptedIn)).toBe(true);
  });

  it.each([
    [['opt-in']],
    [['opt-in', '--all', 'anna@corp.example']],
    [['opt-in', 'nonsense']],
    [['opt-in', 'anna@corp.example', '--yes']],
    [['opt-in', '--all', '--yes', '--dry-run']],
    [['opt-out', 'anna@corp.example', '--system', 'x']],
    [['resync']],
    [['set', 'anna@corp.example', 'calendar', 'away']],
    [['set', 'anna@corp.example', 'phone', 'away']],
    [['set', 'anna@corp.example', 'manual', 'away', '--until', 'tomorrow']],
    [['set', 'anna@corp.example', 'manual', 'none', '--until', '2026-03-02T10:00:00Z']],
    [['language', 'anna@corp.example', 'no tag']],
    [['language', 'anna@corp.example']],
    [['nonsense']],
  ])('wrong usage: %j', async (args) => {
    expect((await bed.run(...args)).exit).toBe(2);
    expect(service.calls).toEqual([]);
  });

  it('language, set and resync', async () => {
    expect(await bed.run('language', 'anna@corp.example', 'de-at')).toMatchObject({ exit: 0, printed: ['anna@corp.example: de-AT'] });
    await bed.run('language', 'anna@corp.example', 'default');
    await bed.run('set', 'anna@corp.example', 'manual', 'do-not-disturb', '--until', '2026-03-02T12:00:00+01:00');
    expect(await bed.run('set', 'anna@corp.example', 'phone', 'none')).toMatchObject({ exit: 0, printed: ['anna@corp.example: phone says nothing any more'] });
    expect(await bed.run('set', 'nobody@corp.example', 'idle', 'away')).toMatchObject({ exit: 1, complained: ['it has not opted in'] });
    expect(await bed.run('resync', '--all')).toMatchObject({ exit: 0, printed: ['2 read and published again'] });
    expect(await bed.run('resync', 'anna@corp.example', 'x@corp.example')).toMatchObject({ exit: 1, complained: ['x@corp.example: has not opted in'] });
    expect(service.calls.slice(0, 4)).toEqual([
      ['language', anna, 'de-AT', BY],
      ['language', anna, undefined, BY],
      ['own', anna, 'manual', 'do-not-disturb', Date.parse('2026-03-02T11:00:00Z'), BY],
      ['own', anna, 'phone', undefined, null, BY],
    ]);
  });

  it('options stand before the sub-command too, and every one has its help', async () => {
    expect((await runProgram(['presence', '--config', bed.file, 'status'])).printed[0]).toMatch(/^2 opted in/);
    expect(JSON.parse((await runProgram(['presence', '--json', '--config', bed.file, 'status'])).printed.join('\n'))).toMatchObject({ optedIn: 2 });
    for (const name of ['status', 'list', 'opt-in', 'opt-out', 'language', 'set', 'resync', 'check']) expect((await bed.run(name, '--help')).printed.join('\n')).toMatch(/--config <file>/);
    expect((await bed.run('locale', 'check', '--help')).exit).toBe(0);
  });

  it('lists of many thousands come part by part', async () => {
    for (let n = 0; n < LIMITS.presencePage + 50; n++) service.shown.set(`u${n}@corp.example` as MailboxAddress, shownAs('away'));
    expect(await new RemotePresence(bed.dataDir).followed()).toHaveLength(service.shown.size);
  });

  it('a bridge of another version, without presence, or with broken words', async () => {
    await bed.close();
    bed = await presenceBed('systems: {}\n');
    const answers = [
      { ok: false, lines: ['the running bridge does not know this command: it is another version; restart it'] },
      { ok: false, isMisconfigured: true, lines: ['the running bridge has no presence'] },
      { ok: true, lines: [], data: { status: { optedIn: 'many' } } },
      { ok: true, lines: [] },
    ];
    let answer = 0;
    const socket = await ControlSocket.open(bed.dataDir, async (command) => (command === 'POST /ping' ? { ok: true, lines: [] } : answers[answer]!));
    for (const exit of [1, 2, 1, 1]) {
      expect((await bed.run('status')).exit).toBe(exit);
      answer += 1;
    }
    await socket.close();
  });
});

describe('presence, where no bridge runs', () => {
  const YAML = `systems:
  corp: { type: exchange-ews, url: "https://ews.corp.example/EWS/Exchange.asmx", domains: [corp.example], username: bridge, password: secret }
  zimbra: { type: zimbra, url: "https://zimbra.example", domains: [zimbra.example] }
clients: []
presence: { optIn: [file@zimbra.example] }
`;
  beforeEach(async () => void (bed = await presenceBed(YAML)));

  it('opt-ins and languages are changed where they are kept, and audited', async () => {
    expect(await bed.run('opt-in', 'kim@zimbra.example')).toEqual({ exit: 0, printed: ['kim@zimbra.example: switched on'], complained: [] });
    expect(await bed.run('opt-out', 'file@zimbra.example')).toMatchObject({ exit: 0, printed: ['file@zimbra.example: switched off'] });
    expect(await bed.run('language', 'kim@zimbra.example', 'de')).toMatchObject({ exit: 0 });
    const { printed, complained } = await bed.run('list');
    expect(printed.map((line) => line.split(/ +/).slice(0, 2))).toEqual([['file@zimbra.example', 'off'], ['kim@zimbra.example', 'on']]);
    expect(printed[1]).toMatch(/ de$/);
    expect(complained).toEqual(['no bridge runs with this configuration: nobody is shown']);
    expect((await bed.run('status')).printed).toEqual(['1 opted in']);
    const audited = (await readFile(join(bed.dataDir, 'audit.log'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as { what: string; by: string });
    expect(audited.map(({ what, by }) => [what, by])).toEqual([['presence.opt-in', BY.by], ['presence.opt-out', BY.by], ['presence.language', BY.by]]);
  });

  it('an Exchange mailbox needs a gateway, one of no system is nobody, and what is shown needs a bridge', async () => {
    expect(await bed.run('opt-in', 'anna@corp.example', 'x@gmail.com')).toMatchObject({ exit: 1, complained: ['anna@corp.example: presence has no gateway for corp: configure one under presence.gateways first', 'x@gmail.com: it lives in no system of the configuration'] });
    expect(await bed.run('resync', '--all')).toMatchObject({ exit: 1, complained: [expect.stringContaining('no bridge runs')] });
    expect((await bed.run('set', 'kim@zimbra.example', 'manual', 'away')).exit).toBe(1);
  });

  it('a wrong configuration is 2', async () => {
    await writeFile(bed.file, 'systems: 7\n');
    expect((await bed.run('status')).exit).toBe(2);
    await writeFile(bed.file, ': :');
    expect((await bed.run('locale', 'list')).exit).toBe(2);
  });

  it('locale list and locale check', async () => {
    expect(await bed.run('locale', 'list')).toMatchObject({ exit: 0, printed: [expect.stringMatching(/^de +built in +complete/), expect.stringMatching(/^en +built in +complete/)] });
    expect(await bed.run('locale', 'check')).toMatchObject({ exit: 0, printed: ['2 languages, all complete'] });
    expect(JSON.parse((await bed.run('locale', 'list', '--json')).printed.join('\n'))).toMatchObject({ languages: [{ language: 'de', missing: [] }, { language: 'en' }] });
    await mkdir(join(bed.folder, 'locales'));
  });
});
