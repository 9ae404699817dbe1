import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ewsAnswer } from './calendar.ts';
import { answerMessages } from './child-process.ts';

/** Canned answers, one for each number of mailboxes and window; the upstream of both the bridge and the reference. */
const answers = new Map<string, Buffer>();
let requests = 0;
/** How long it thinks about each answer. */
let delayMs = 0;

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    requests += 1;
    const body = answerTo(Buffer.concat(chunks).toString('latin1'));
    const send = (): void => void response.writeHead(200, { 'Content-Type': 'text/xml; charset=utf-8', 'Content-Length': body.length }).end(body);
    if (delayMs === 0) send();
    else setTimeout(send, delayMs).unref();
  });
});

function answerTo(question: string): Buffer {
  const mailboxes = question.split('<t:MailboxData>').length - 1;
  const from = textOf(question, 'StartTime');
  const to = textOf(question, 'EndTime');
  const key = `${mailboxes} ${from} ${to}`;
  const known = answers.get(key);
  if (known !== undefined) return known;
  const made = ewsAnswer(mailboxes, Date.parse(`${from}Z`), Date.parse(`${to}Z`));
  answers.set(key, made);
  return made;
}

function textOf(xml: string, name: string): string {
  const at = xml.indexOf(`<t:${name}>`) + name.length + 4;
  return xml.slice(at, xml.indexOf('<', at));
}

server.listen(0, '127.0.0.1', () => {
  answerMessages(async (work: { readonly delayMs?: number }) => {
    delayMs = work.delayMs ?? delayMs;
    return { port: (server.address() as AddressInfo).port, requests };
  });
});
