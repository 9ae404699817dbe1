import { xml } from '../../../platform/xml/write.ts';

/**
 * What is shown to whoever has signed in. DavMail reads a line with `<base href="…">`, as Exchange 2003's page has one, and takes its path for that
 * of the user's mailbox.
 *
 * @param mailboxUrl absolute, with a slash at its end
 */
export function encodeWelcomePage(mailboxUrl: string): string {
  return xml`<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><meta charset="utf-8"/><title>Free/busy</title>
<base href="${mailboxUrl}"/>
</head><body><h1>Signed in</h1><p>There is no mail here: this address answers calendar programs that ask for free/busy.</p></body></html>
`.text;
}
