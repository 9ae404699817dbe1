import { describe, expect, it } from 'vitest';
import { isLogonLocation, kindOf, problem, problemAbout, problemOf } from '../../../src/protocols/owa-webdav/answer-problem.ts';
import type { AnswerHead, AnswerKind } from '../../../src/protocols/owa-webdav/answer-problem.ts';

function answer(status: number, over: Partial<Omit<AnswerHead, 'body'>> & { readonly text?: string } = {}): AnswerHead {
  const { text = '', ...rest } = over;
  return { status, headers: {}, url: new URL('https://mail.corp.example/public/'), body: Buffer.from(text), ...rest };
}

const HTML = { 'content-type': 'text/html' };
const offers = (value: string) => ({ headers: { 'www-authenticate': value } });
const PLAIN = new URL('http://mail.corp.example/public/');
/** Words of IIS 6 and 7. */
const IIS = {
  '403.4': '<html><head><title>The page must be viewed over a secure channel</title></head><body><h2>HTTP Error 403.4 - Forbidden: SSL is required to view this resource.</h2></body></html>',
  '403.7': '<html><body><h2>HTTP Error 403.7 - Forbidden: SSL client certificate is required.</h2></body></html>',
  '404.15': '<html><body><h2>HTTP Error 404.15 - Not Found</h2><h3>The request filtering module is configured to deny a request where the query string is too long.</h3></body></html>',
  '404.11': '<html><body><h2>HTTP Error 404.11 - Not Found</h2><h3>The request filtering module is configured to deny a request that contains a double escape sequence.</h3></body></html>',
};

describe('the table of what answers mean', () => {
  it.each<readonly [AnswerKind | undefined, string, AnswerHead]>([
    ['logon-page', 'a 302 to the page of 2003', answer(302, { headers: { location: '/exchweb/bin/auth/owalogon.asp?url=https://mail/public/&reason=0' } })],
    ['logon-page', 'a 302 to the page of 2007, in a sub-path', answer(302, { headers: { location: 'https://mail.corp.example/legacy/owa/auth/logon.aspx?url=x&reason=0' } })],
    ['logon-page', 'the page itself, by its URL', answer(200, { url: new URL('https://mail.corp.example/owa/auth/logon.aspx?x'), headers: HTML })],
    ['logon-page', 'the page with status 200, by its form', answer(200, { headers: HTML, text: '<html><form action="/exchweb/bin/auth/owaauth.dll"></form></html>' })],
    ['logon-page', 'the page of 2007, whose form a script makes', answer(200, { text: '<!DOCTYPE HTML><html><script>var a_sLgnQS="";</script><input type=password></html>' })],
    ['logon-page-again', 'the same where a form is configured', answer(302, { auth: 'form', headers: { location: '/exchweb/bin/auth/owalogon.asp?reason=0' } })],
    ['logon-timeout', '440 where Basic is configured', answer(440)],
    ['logon-timeout-again', '440 where a form is', answer(440, { auth: 'form' })],
    ['no-right', '401 of a server that lets the account in', answer(401, { isLetIn: true, ...offers('Basic realm="x"') })],
    ['wrong-credentials', '401', answer(401)],
    ['wrong-credentials', '401 to Basic', answer(401, { auth: 'basic', ...offers('Negotiate, NTLM, Basic realm="mail"') })],
    ['ntlm-only', '401 to Basic that offers NTLM', answer(401, { auth: 'basic', ...offers('Negotiate, NTLM') })],
    ['wrong-credentials', '401 to NTLM', answer(401, { auth: 'ntlm', ...offers('NTLM, Basic realm="x"') })],
    ['basic-only', '401 to NTLM that offers Basic', answer(401, { auth: 'ntlm', ...offers('Basic realm="x"') })],
    ['other-scheme', '401 that offers something else', answer(401, { auth: 'basic', ...offers('Digest realm="x"') })],
    ['other-scheme', '401 to NTLM that offers something else', answer(401, { auth: 'ntlm', ...offers('Digest realm="x"') })],
    ['https-required', '403.4', answer(403, { url: PLAIN, headers: HTML, text: IIS['403.4'] })],
    ['client-certificate', '403.7', answer(403, { headers: HTML, text: IIS['403.7'] })],
    ['forbidden', '403', answer(403)],
    ['forbidden-by-http', '403 over http', answer(403, { url: PLAIN })],
    ['forbidden', 'a page that speaks of 403.4 over https is no such thing', answer(403, { headers: HTML, text: IIS['403.4'] })],
    ['query-too-long', '404.15', answer(404, { headers: HTML, text: IIS['404.15'] })],
    ['escaped-twice', '404.11', answer(404, { headers: HTML, text: IIS['404.11'] })],
    ['missing', '404: no /public', answer(404, { headers: HTML })],
    ['busy', '503', answer(503)],
    ['busy', '429', answer(429)],
    ['no-store', '500: no public folder database', answer(500)],
    ['failed', '502', answer(502)],
    ['failed', '507', answer(507)],
    ['failed', '408', answer(408)],
    ['failed', '425', answer(425)],
    ['redirect', '302 without Location', answer(302)],
    ['unexpected', '207 for a command', answer(207)],
    ['unexpected', '204', answer(204)],
    ['unexpected', '400', answer(400)],
    ['web-page', 'a page: the browser was not taken for Internet Explorer', answer(200, { headers: HTML, text: '<html><body>Outlook Web Access</body></html>' })],
    ['web-page', 'a page that calls itself XML', answer(200, { headers: { 'content-type': 'text/xml' }, text: '<!DOCTYPE html><html/>' })],
    [undefined, 'the answer hoped for', answer(200, { headers: { 'content-type': 'text/xml' }, text: '<a:response xmlns:a="WM"/>' })],
  ])('%s: %s', (kind, _name, head) => {
    expect(kindOf(head, 200)).toBe(kind);
  });

  it('every kind of failure says what to do, and what it is about', () => {
    const kinds: readonly AnswerKind[] = ['logon-page', 'logon-page-again', 'logon-timeout', 'logon-timeout-again', 'no-right', 'ntlm-only', 'basic-only', 'other-scheme', 'wrong-credentials', 'https-required', 'client-certificate', 'forbidden', 'forbidden-by-http', 'query-too-long', 'escaped-twice', 'missing', 'busy', 'no-store', 'failed', 'redirect', 'unexpected', 'web-page'];
    for (const kind of kinds) {
      const error = problem(kind, answer(400));
      expect(problemAbout(error), kind).toBeDefined();
      if (kind !== 'busy' && kind !== 'failed') expect(error.details['hint'], kind).toMatch(/.{10}/);
      expect(error.temporary, kind).toBe(['busy', 'no-store', 'failed'].includes(kind));
    }
    // A password goes to no second server once one has refused it.
    expect(kinds.filter((kind) => problemAbout(problem(kind, answer(401))) === 'account')).toEqual(['wrong-credentials']);
  });

  it('the server’s own wish for peace is kept', () => {
    expect(problemOf(answer(503, { headers: { 'retry-after': '7' } }), 207)).toMatchObject({ code: 'BACKEND_BUSY', temporary: true, retryAfterMs: 7_000 });
  });

  it.each(['/public/?u=x&url=/exchweb/bin/auth/owalogon.asp', '/owalogon.aspx', '/logon.aspx.txt', ''])('no logon page: %s', (location) => {
    expect(isLogonLocation(location)).toBe(false);
  });
});
