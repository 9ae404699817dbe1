/** Media type of iCalendar (RFC 5545 §8.1). */
export const ICALENDAR_MEDIA_TYPE = 'text/calendar';

/** Our own parameter on FREEBUSY: the stretch is unknown, not busy. iCalendar has no word for it (configuration.md). */
export const NO_DATA_PARAMETER = 'X-FB-NODATA';

/** PRODID of what we write. Not Zimbra's: an empty VFREEBUSY of a Zimbra may be about nobody, an empty one of ours is about somebody who is free. */
export const PRODUCT = '-//freebusy-bridge//freebusy-bridge//EN';
