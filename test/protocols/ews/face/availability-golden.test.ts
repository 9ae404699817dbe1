import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { FreeBusyParts } from '../../../../src/freebusy/free-busy.ts';
import { readXml } from '../../../../src/platform/xml/read.ts';
import { decodeGetUserAvailabilityRequest } from '../../../../src/protocols/ews/face/get-user-availability-request.ts';
import { decodeEwsRequest } from '../../../../src/protocols/ews/face/soap-frame.ts';
import { ZoneClocks } from '../../../../src/protocols/ews/face/zone-clock.ts';
import { ewsFace } from '../face-questions.ts';

const REQUESTS = new URL('../../../../fixtures/ews/get-user-availability-request/', import.meta.url);
const RESPONSES = new URL('../../../../fixtures/ews/get-user-availability-response/', import.meta.url);
const read = (root: URL, path: string): string => readFileSync(new URL(path, root), 'utf8');

describe('golden GetUserAvailability requests', () => {
  for (const name of readdirSync(REQUESTS)) {
    it(`${name} is read as its expected.json says`, async () => {
      expect(read(REQUESTS, `${name}/SOURCE.md`)).not.toBe('');
      const { version, header, operation } = decodeEwsRequest(await readXml(read(REQUESTS, `${name}/message`)));
      const { addresses, view, suggestions } = decodeGetUserAvailabilityRequest(operation, version, header, new ZoneClocks());
      const iso = (instant: number): string => new Date(instant).toISOString().replace('.000', '');
      const { window, slotMinutes, merged, events, details, clock } = view!;
      const shown = { version, addresses, window: { start: iso(window.start), end: iso(window.end) }, slotMinutes, merged, events, details, suggestions, naiveStart: clock.naive(window.start) };
      expect(shown).toEqual(JSON.parse(read(REQUESTS, `${name}/expected.json`)));
    });
  }
});

describe('golden GetUserAvailability answers of ours', () => {
  for (const name of readdirSync(RESPONSES)) {
    it(`${name} is written as its message stands`, async () => {
      const asInstants = (key: string, value: unknown): unknown => ((key === 'start' || key === 'end') && typeof value === 'string' ? Date.parse(value) : value);
      const { request, calendars } = JSON.parse(read(RESPONSES, `${name}/expected.json`), asInstants) as { request: string; calendars: Record<string, FreeBusyParts> };
      const face = await ewsFace({ calendars });
      const { text } = await face.post(read(REQUESTS, `${request}/message`));
      await face.close();
      expect(/<s:Body>(.*)<\/s:Body>/s.exec(text)?.[1]).toBe(read(RESPONSES, `${name}/message`));
    });
  }
});
