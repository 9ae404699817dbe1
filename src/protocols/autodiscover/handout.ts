import { createHash } from 'node:crypto';

/** What everybody is given, whoever asks and about whom: all of it follows from `publicUrl`. */
export interface Handout {
  /** Of the EWS face; the same for ASUrl, EwsUrl and OOFUrl, inside and outside (exchange.md §4.4: nobody knows for certain which one an Exchange takes). */
  readonly ewsUrl: string;
  /** Of the POX face. */
  readonly poxUrl: string;
  /** Host name without port. */
  readonly host: string;
  readonly secure: boolean;
  /** A UUID that stays for as long as `publicUrl` does; Outlook tells one organisation from another by it. */
  readonly deploymentId: string;
  /** Id of a POX error: Exchange hashes its computer's name. Ten digits at most. */
  readonly serverId: string;
}

/** @param publicUrl without a trailing slash */
export function handoutOf(publicUrl: string): Handout {
  const url = new URL(publicUrl);
  const hash = createHash('sha256').update(`freebusy-bridge autodiscover ${publicUrl}`).digest();
  return {
    ewsUrl: `${publicUrl}/EWS/Exchange.asmx`,
    poxUrl: `${publicUrl}/autodiscover/autodiscover.xml`,
    host: url.hostname,
    secure: url.protocol === 'https:',
    deploymentId: uuid(hash),
    serverId: String(hash.readUInt32BE(16)),
  };
}

/** RFC 9562 §5.8: a UUID of one's own making (version 8). */
function uuid(hash: Buffer): string {
  const bytes = Buffer.from(hash.subarray(0, 16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
