/** Addresses of a mailbox's special folders, whatever their names are. */
export const HTTPMAIL = 'urn:schemas:httpmail:';
/** Properties of appointments. */
export const CALENDAR = 'urn:schemas:calendar:';
/** Exchange's own; of these `sensitivity`. */
export const EXCHANGE = 'http://schemas.microsoft.com/exchange/';
/** PSETID_Appointment: of these 0x8218, how the owner answered (GCC asked an Exchange 2003 for it: captures/exchange-webdav). */
export const APPOINTMENT = 'http://schemas.microsoft.com/mapi/id/{00062002-0000-0000-C000-000000000046}/';
export const RESPONSE_STATUS = '0x8218';
