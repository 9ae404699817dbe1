import type { FreeBusyResult } from '../../../src/freebusy/source.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import type { AvailabilityResult } from '../../../src/protocols/ews/get-user-availability.ts';
import { decodeEnvelope } from '../../../src/protocols/soap/envelope.ts';

interface Stretch {
  readonly start: string;
  readonly end: string;
  readonly type: string;
}

/** A result in the words of expected.json. */
export type Shown =
  | { readonly error: string }
  | { readonly busy: readonly Stretch[]; readonly events?: readonly (Stretch & object)[]; readonly workingHours?: object };

export function shown(result: AvailabilityResult | FreeBusyResult): Shown {
  if ('error' in result) return { error: result.error.code };
  const { busy, events, workingHours } = result.freeBusy;
  const period = workingHours?.periods[0];
  return {
    busy: busy.map(stretch),
    ...(events === undefined ? {} : { events: events.map(({ start, end, busyType, ...rest }) => ({ ...stretch({ start, end, busyType }), ...rest })) }),
    ...(period === undefined || workingHours === undefined
      ? {}
      : {
          workingHours: {
            biasMinutes: workingHours.timeZone.biasMinutes,
            startMinute: period.startMinute,
            endMinute: period.endMinute,
            days: period.days.length,
          },
        }),
  };
}

function stretch(one: { readonly start: number; readonly end: number; readonly busyType: string }): Stretch {
  return { start: new Date(one.start).toISOString(), end: new Date(one.end).toISOString(), type: one.busyType };
}

/** The Body of an envelope given as bytes or text. */
export async function bodyOf(message: Uint8Array | string): Promise<XmlElement> {
  return decodeEnvelope(await readXml(message)).body;
}
