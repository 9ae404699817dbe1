import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/core/audit.ts';
import { BridgeError } from '../../src/core/errors.ts';
import type { MailboxAddress } from '../../src/directory/smtp-address.ts';
import { OptIns } from '../../src/presence/opt-ins.ts';
import { keepingLogger } from '../platform/http-server/serving.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const anna = 'anna@corp.example' as MailboxAddress;
const kim = 'kim@zimbra.example' as MailboxAddress;
const lee = 'lee@corp.example' as MailboxAddress;
const BY_API = { by: 'client im', via: 'api' };

class Kept extends Map<string, string> {
  fails = false;
  readonly order: string[] = [];
  async store(key: string, text: string | undefined): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.fails) throw new BridgeError('STORE_UNAVAILABLE', 'full', { temporary: true });
    this.order.push(`${key} ${text === undefined ? '-' : (JSON.parse(text) as { isOn?: boolean }).isOn}`);
    if (text === undefined) this.delete(key);
    else this.set(key, text);
  }
}

function world(file: readonly MailboxAddress[] = [], kept = new Kept()): { readonly optIns: OptIns; readonly kept: Kept; readonly audited: AuditEntry[]; readonly said: ReturnType<typeof keepingLogger>['lines'] } {
  const audited: AuditEntry[] = [];
  const { logger, lines: said } = keepingLogger();
  const optIns = new OptIns({ kept, audit: { record: (entry) => void audited.push(entry) }, clock: { now: () => NOW }, logger });
  optIns.load(file);
  return { optIns, kept, audited, said };
}

describe('who may be shown', () => {
  it('is nobody by default', () => {
    const { optIns } = world();
    expect(optIns.has(anna)).toBe(false);
    expect(optIns.of(anna)).toEqual({ mailbox: anna, isOptedIn: false, by: undefined, at: undefined, language: undefined });
    expect(optIns.all()).toEqual([]);
  });

  it('is whoever the file lists or was switched on, less whoever was switched off', async () => {
    const { optIns } = world([anna, lee]);
    expect(await optIns.switch(kim, true, BY_API)).toBe(true);
    expect(await optIns.switch(lee, false, BY_API)).toBe(true);
    expect([...optIns.optedIn()].sort()).toEqual([anna, kim]);
    expect(optIns.all()).toEqual([
      { mailbox: anna, isOptedIn: true, by: 'file', at: undefined, language: undefined },
      { mailbox: kim, isOptedIn: true, by: 'client im', at: NOW, language: undefined },
      { mailbox: lee, isOptedIn: false, by: 'client im', at: NOW, language: undefined },
    ]);
  });

  it('outlives a restart; an own "off" is stronger than the file, which is said', async () => {
    const first = world([anna]);
    await first.optIns.switch(anna, false, BY_API);
    await first.optIns.switch(kim, true, BY_API);
    const second = world([anna], first.kept);
    expect([...second.optIns.optedIn()]).toEqual([kim]);
    expect(second.said).toEqual([expect.objectContaining({ level: 'info', mailbox: anna })]);
  });

  it('is stored before it counts, and not at all where it cannot be', async () => {
    const { optIns, kept, audited } = world();
    const switched = optIns.switch(anna, true, BY_API);
    expect(optIns.has(anna)).toBe(false);
    await switched;
    expect(kept.size).toBe(1);
    kept.fails = true;
    await expect(optIns.switch(kim, true, BY_API)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(optIns.has(kim)).toBe(false);
    expect(audited).toHaveLength(1);
    kept.fails = false;
    expect(await optIns.switch(kim, true, BY_API)).toBe(true);
  });

  it('the last of several switches at once wins, on disk too', async () => {
    const { optIns, kept } = world();
    expect(await Promise.all([true, false, true, false].map((isOn) => optIns.switch(anna, isOn, BY_API)))).toEqual([true, true, true, true]);
    expect(kept.order.map((line) => line.split(' ').at(-1))).toEqual(['true', 'false', 'true', 'false']);
    expect(optIns.has(anna)).toBe(false);
    expect(world([], kept).optIns.has(anna)).toBe(false);
  });

  it('every switch is audited once; said again it is nothing new', async () => {
    const { optIns, audited } = world([anna]);
    expect(await optIns.switch(anna, true, BY_API)).toBe(false);
    expect(await optIns.switch(anna, true, BY_API)).toBe(false);
    await optIns.switch(anna, false, { by: 'command root', via: 'command' });
    expect(audited).toEqual([
      { what: 'presence.opt-in', mailbox: anna, by: 'client im', via: 'api', changed: false },
      { what: 'presence.opt-out', mailbox: anna, by: 'command root', via: 'command', changed: true },
    ]);
  });

  it('follows the file: who came and who went, but for those who decided themselves', async () => {
    const { optIns, audited } = world([anna, lee]);
    await optIns.switch(lee, true, BY_API);
    await optIns.switch(kim, false, BY_API);
    audited.length = 0;
    const other = 'other@corp.example' as MailboxAddress;
    expect(optIns.setFileList([kim, other], { by: 'file', via: 'file' })).toEqual({ came: [other], went: [anna] });
    expect([...optIns.optedIn()].sort()).toEqual([lee, other]);
    expect(audited.map(({ what, mailbox }) => [what, mailbox])).toEqual([['presence.opt-in', other], ['presence.opt-out', anna]]);
  });

  it('switches all off at once, and says whom', async () => {
    const { optIns, audited } = world([anna, lee]);
    await optIns.switch(kim, true, BY_API);
    audited.length = 0;
    expect([...(await optIns.switchAllOff('all', { by: 'last gateway', via: 'gateway' }))].sort()).toEqual([anna, kim, lee]);
    expect(optIns.optedIn().size).toBe(0);
    expect(audited.filter(({ what }) => what === 'presence.opt-out')).toHaveLength(3);
    expect(audited.at(-1)).toMatchObject({ what: 'presence.opt-out-many', count: 3, via: 'gateway' });
    expect(await optIns.switchAllOff([anna], BY_API)).toEqual([]);
  });

  it('keeps a language, apart from the switch', async () => {
    const { optIns, kept, audited } = world();
    await optIns.setLanguage(anna, 'de-at', BY_API);
    expect(optIns.of(anna)).toMatchObject({ isOptedIn: false, language: 'de-AT' });
    await optIns.switch(anna, true, BY_API);
    expect(world([], kept).optIns.of(anna)).toMatchObject({ isOptedIn: true, language: 'de-AT' });
    await expect(optIns.setLanguage(anna, 'no tag', BY_API)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await optIns.setLanguage(anna, undefined, BY_API);
    expect(optIns.of(anna).language).toBeUndefined();
    expect(audited.map(({ what }) => what)).toEqual(['presence.language', 'presence.opt-in', 'presence.language']);
    await optIns.setLanguage(kim, 'en', BY_API);
    await optIns.setLanguage(kim, undefined, BY_API);
    expect(kept.size).toBe(1);
  });

  it.each(['', 'nonsense', 'null', '[]', '{"isOn":"yes"}', '{"isOn":true,"at":"now"}'])('what cannot be read (%s) counts as off, whatever the file says', (text) => {
    const kept = new Kept([[`opt-in ${anna}`, text], ['something else', 'x']]);
    const { optIns, said } = world([anna], kept);
    expect(optIns.has(anna)).toBe(false);
    expect(said.some(({ level }) => level === 'error')).toBe(true);
  });
});
