/** Media type of iCalendar (RFC 5545 §8.1). */
export const ICALENDAR_MEDIA_TYPE = 'text/calendar';

/** Our own parameter on FREEBUSY: the stretch is unknown, not busy. iCalendar has no word for it (configuration.md). */
export const NO_DATA_PARAMETER = 'X-FB-NODATA';
