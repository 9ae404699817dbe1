/** Zimbra's cookie with the token of an AuthRequest, which its clients send with everything. */
export const TOKEN_COOKIE = 'ZM_AUTH_TOKEN';

/** What iCalendar is served as: Zimbra's media type, with the charset it sets. */
export const CONTENT_TYPE = 'text/calendar; charset=utf-8';
