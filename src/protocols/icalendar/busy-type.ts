import type { BusyType } from '../../freebusy/busy-type.ts';

/** The values of FBTYPE (RFC 5545 §3.2.9). */
export type FbType = 'FREE' | 'BUSY' | 'BUSY-TENTATIVE' | 'BUSY-UNAVAILABLE';

const BUSY_TYPE_OF: Readonly<Record<FbType, BusyType>> = {
  FREE: 'free',
  BUSY: 'busy',
  'BUSY-TENTATIVE': 'tentative',
  'BUSY-UNAVAILABLE': 'oof',
};

/**
 * FBTYPE as received, in any case. RFC 5545 §3.2.9: absent means BUSY, and so does every value that is not known. (Zimbra's own
 * reader takes both for FREE, zimbra.md §3.4; ours does not.)
 */
export function busyTypeOfFbType(fbType: string | undefined): BusyType {
  const known = fbType?.trim().toUpperCase() ?? 'BUSY';
  return Object.hasOwn(BUSY_TYPE_OF, known) ? BUSY_TYPE_OF[known as FbType] : 'busy';
}

/**
 * FBTYPE to be written. Lossy: `working-elsewhere` has no word and is FREE (a site may choose otherwise before it comes here);
 * `no-data` is a tentative stretch with X-FB-NODATA=TRUE beside it (configuration.md).
 */
export const FBTYPE_OF: Readonly<Record<BusyType, FbType>> = {
  free: 'FREE',
  'no-data': 'BUSY-TENTATIVE',
  'working-elsewhere': 'FREE',
  tentative: 'BUSY-TENTATIVE',
  busy: 'BUSY',
  oof: 'BUSY-UNAVAILABLE',
};
