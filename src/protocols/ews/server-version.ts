import { BridgeError } from '../../core/errors.ts';
import { attribute, child } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { SoapEnvelope } from '../soap/envelope.ts';

/** What a server says of itself with every answer (`t:ServerVersionInfo`). Servers that are almost Exchange borrow a number (grommunio: 15.0.847.4040). */
export interface ServerVersion {
  /** 8: 2007, 14: 2010, 15: 2013 and everything later, Exchange Online too. */
  readonly major: number;
  /** `14.3.123.4` */
  readonly build: string;
  /** `Exchange 2010` */
  readonly generation: string;
}

/** From the SOAP header of an answer, in whatever namespace; undefined where it is missing or unreadable. */
export function decodeServerVersion(header: XmlElement | undefined): ServerVersion | undefined {
  const info = child(header, 'ServerVersionInfo');
  const numbers = ['MajorVersion', 'MinorVersion', 'MajorBuildNumber', 'MinorBuildNumber'].map((name) => attribute(info, name) ?? '');
  if (info === undefined || !numbers.every((one) => /^\d{1,6}$/.test(one))) return undefined;
  const [major, minor] = numbers as [string, string];
  const generation = GENERATIONS[`${major}.${minor}`] ?? GENERATIONS[major] ?? 'an unknown Exchange';
  return { major: Number(major), build: numbers.join('.'), generation };
}

const GENERATIONS: Readonly<Record<string, string>> = {
  '8': 'Exchange 2007',
  '14': 'Exchange 2010',
  '15.0': 'Exchange 2013',
  '15.1': 'Exchange 2016',
  '15.2': 'Exchange 2019 or SE',
  '15.20': 'Exchange Online',
};

/** Exchange 2013: from here on there is no free/busy folder that anybody reads (exchange.md §1.1). */
const FIRST_WITHOUT_FOLDER = 15;

/** Why nothing is published to these servers. */
export const IGNORES_THE_FOLDER = 'Exchange 2013 and later ignore the free/busy folder: let it ask the bridge live (Add-AvailabilityAddressSpace)';

export function isModern(version: ServerVersion | undefined): boolean {
  return version !== undefined && version.major >= FIRST_WITHOUT_FOLDER;
}

/**
 * Looks at an answer before any use of it. A server that says nothing of its version is let pass.
 *
 * @throws BridgeError UNSUPPORTED for Exchange 2013 and later
 */
export function refuseModern({ header }: Pick<SoapEnvelope, 'header'>): void {
  const version = decodeServerVersion(header);
  if (isModern(version)) throw new BridgeError('UNSUPPORTED', IGNORES_THE_FOLDER, { details: { version: version!.build } });
}
