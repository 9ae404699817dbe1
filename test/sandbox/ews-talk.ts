import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { child } from '../../src/platform/xml/element.ts';
import type { XmlElement } from '../../src/platform/xml/element.ts';
import { readXml } from '../../src/platform/xml/read.ts';
import { EWS_SCHEMA } from '../shared.ts';

export const M = 'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';
const SOAP = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"';

export interface EwsAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
  /** The first element of the body. */
  readonly body: XmlElement | undefined;
}

export interface EwsAsk {
  readonly as?: string;
  readonly sidName?: string;
  readonly signal?: AbortSignal;
}

export function impersonating(address: string | undefined, sidName = 'PrimarySmtpAddress'): string {
  return address === undefined ? '' : `<s:Header><t:ExchangeImpersonation ${M}><t:ConnectingSID><t:${sidName}>${address}</t:${sidName}></t:ConnectingSID></t:ExchangeImpersonation></s:Header>`;
}

export async function openEws(server: { readonly url: string }, operation: string, { as, sidName, signal }: EwsAsk = {}): Promise<Response> {
  return fetch(`${server.url}/EWS/Exchange.asmx`, {
    method: 'POST',
    body: `<s:Envelope ${SOAP}>${impersonating(as, sidName)}<s:Body>${operation}</s:Body></s:Envelope>`,
    headers: { 'Content-Type': 'text/xml; charset=utf-8', Authorization: `Basic ${Buffer.from('EXCH\\svc:pass').toString('base64')}` },
    ...(signal === undefined ? {} : { signal }),
  });
}

export async function askEws(server: { readonly url: string }, operation: string, ask: EwsAsk = {}): Promise<EwsAnswer> {
  const answer = await openEws(server, operation, ask);
  const text = await answer.text();
  return { status: answer.status, text, headers: answer.headers, body: text.startsWith('<?xml') ? child(await readXml(text), 'Body')?.children[0] : undefined };
}

/** The text of the first element of that name anywhere; for answers that have one. */
export function textOf(xml: string, name: string): string | undefined {
  return new RegExp(`<(?:[a-z]+:)?${name}(?: [^>]*)?>([^<]*)</`).exec(xml)?.[1];
}

/** By Microsoft's schema. @throws Error with what xmllint says */
export function expectValid(...texts: readonly string[]): void {
  const directory = mkdtempSync(join(tmpdir(), 'ews-body-'));
  try {
    const files = texts.map((text, index) => {
      const file = join(directory, `${index}.xml`);
      writeFileSync(file, /<(\w+):Body[^>]*>(.*)<\/\1:Body>/s.exec(text)?.[2] ?? '');
      return file;
    });
    execFileSync('xmllint', ['--noout', '--schema', EWS_SCHEMA, ...files], { stdio: 'pipe' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export interface EnvelopeReader {
  /** The next whole envelope; undefined at the end of the body. @throws TypeError when it breaks off */
  next(): Promise<string | undefined>;
}

/** Cuts a streamed body at its end tags. */
export function envelopesOf(response: Response): EnvelopeReader {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let pending = '';
  return {
    async next() {
      for (;;) {
        const end = /<\/(?:\w+:)?Envelope>/.exec(pending);
        if (end !== null) {
          const whole = pending.slice(0, end.index + end[0].length);
          pending = pending.slice(whole.length);
          return whole;
        }
        const { done, value } = await reader.read();
        if (done) return undefined;
        pending += decoder.decode(value, { stream: true });
      }
    },
  };
}

export const CALENDAR = '<t:FolderIds><t:DistinguishedFolderId Id="calendar"/></t:FolderIds>';
export const CHANGES = `<t:EventTypes>${['Created', 'Modified', 'Deleted', 'Moved'].map((one) => `<t:EventType>${one}Event</t:EventType>`).join('')}</t:EventTypes>`;

export function subscribePush(url: string, options: { frequency?: string; watermark?: string; folders?: string; types?: string } = {}): string {
  const watermark = options.watermark === undefined ? '' : `<t:Watermark>${options.watermark}</t:Watermark>`;
  return `<m:Subscribe ${M}><m:PushSubscriptionRequest>${options.folders ?? CALENDAR}${options.types ?? CHANGES}${watermark}<t:StatusFrequency>${options.frequency ?? '60'}</t:StatusFrequency><t:URL>${url}</t:URL></m:PushSubscriptionRequest></m:Subscribe>`;
}

export function subscribePull(options: { timeout?: string; watermark?: string; folders?: string; types?: string; attributes?: string } = {}): string {
  const watermark = options.watermark === undefined ? '' : `<t:Watermark>${options.watermark}</t:Watermark>`;
  return `<m:Subscribe ${M}><m:PullSubscriptionRequest${options.attributes ?? ''}>${options.folders ?? CALENDAR}${options.types ?? CHANGES}${watermark}<t:Timeout>${options.timeout ?? '10'}</t:Timeout></m:PullSubscriptionRequest></m:Subscribe>`;
}

export function subscribeStreaming(folders = CALENDAR): string {
  return `<m:Subscribe ${M}><m:StreamingSubscriptionRequest>${folders}${CHANGES}</m:StreamingSubscriptionRequest></m:Subscribe>`;
}

export function getEvents(id: string, watermark: string): string {
  return `<m:GetEvents ${M}><m:SubscriptionId>${id}</m:SubscriptionId><m:Watermark>${watermark}</m:Watermark></m:GetEvents>`;
}

export function unsubscribe(id: string): string {
  return `<m:Unsubscribe ${M}><m:SubscriptionId>${id}</m:SubscriptionId></m:Unsubscribe>`;
}

export function getStreamingEvents(ids: readonly string[], minutes = '30'): string {
  return `<m:GetStreamingEvents ${M}><m:SubscriptionIds>${ids.map((id) => `<t:SubscriptionId>${id}</t:SubscriptionId>`).join('')}</m:SubscriptionIds><m:ConnectionTimeout>${minutes}</m:ConnectionTimeout></m:GetStreamingEvents>`;
}
