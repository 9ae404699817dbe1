import type { MailboxAddress } from '../../directory/smtp-address.ts';

/** The namespace of OWA's free/busy answer, exactly these two letters (KB 813268). */
export const WM = 'WM';

export const DAV = 'DAV:';
/** Properties by tag: local name `x` + eight hex digits; Zimbra 8 writes `0x…`. */
export const PROPTAG = 'http://schemas.microsoft.com/mapi/proptag/';
/** The attribute `dt`, by which Exchange knows a value's type. */
export const DATATYPES = 'urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/';
/** Of the `v` elements of a multi-value: the namespace's name is these four characters. */
export const MULTI_VALUE = 'xml:';
/** Properties by name; of these only `subject`. */
export const MAPI = 'http://schemas.microsoft.com/mapi/';

/** OWA answers XML to Internet Explorer only; everybody else gets a page (exchange.md §2.4). */
export const MSIE_USER_AGENT = 'Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.2)';

/** Where forms-based authentication takes the password: Exchange 2003, 2007, 2010. */
export const LOGON_PATHS = ['/exchweb/bin/auth/owaauth.dll', '/owa/auth/owaauth.dll', '/owa/auth.owa'] as const;

/** Where it shows its form: Exchange 2003, 2007 and later. */
export const LOGON_PAGES = ['/exchweb/bin/auth/owalogon.asp', '/owa/auth/logon.aspx'] as const;

/** No server has it: it is answered with 4s, which shows that a command works, and whom it lets in. */
export const NOBODY = 'freebusy-bridge-check@bridge.invalid' as MailboxAddress;
