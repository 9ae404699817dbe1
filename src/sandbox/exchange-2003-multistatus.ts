import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import type { StandInAnswer } from './stand-in.ts';

export interface PropertyName {
  readonly ns: string;
  readonly name: string;
}

/** Qualified names by the prefixes of one answer. */
export type Prefixes = (name: PropertyName) => string;

/** The captured answers have these three; what else is asked for gets the letters behind them, in the order in which it is first named. */
const FIXED: readonly (readonly [prefix: string, ns: string])[] = [['b', 'urn:uuid:c2f41010-65b3-11d1-a29f-00aa00c14882/'], ['c', 'xml:'], ['a', 'DAV:']];
const LETTERS = 'defghijklmnopqrstuvwxyz';

/** A 207 in the style of the captured ones. */
export function multistatusOf(asked: readonly PropertyName[], responses: (prefixOf: Prefixes) => readonly XmlText[], source: string): StandInAnswer {
  const others = [...new Set(asked.map((one) => one.ns))].filter((ns) => FIXED.every(([, known]) => known !== ns));
  const prefixes = new Map([...FIXED.map(([prefix, ns]) => [ns, prefix] as const), ...others.map((ns, index) => [ns, LETTERS[index] ?? `n${index}`] as const)]);
  const declarations = [...prefixes].map(([ns, prefix]) => xml` xmlns:${prefix}="${ns}"`);
  const body = xml`<?xml version="1.0"?><a:multistatus${declarations}>${responses(({ ns, name }) => `${prefixes.get(ns) ?? 'a'}:${name}`)}</a:multistatus>`;
  return { status: 207, headers: { 'Content-Type': 'text/xml' }, body: body.text, source };
}

/** What is there in a propstat of its own, status before prop, what is not in a second one (captures/exchange-webdav). */
export function propertyResponse(href: string, asked: readonly PropertyName[], property: (name: PropertyName, element: string) => XmlText | undefined, prefixOf: Prefixes): XmlText {
  const found = asked.map((name) => property(name, prefixOf(name)));
  const missing = asked.filter((_, index) => found[index] === undefined).map((name) => xml`<${prefixOf(name)}/>`);
  const there = found.filter((one) => one !== undefined);
  const missingPart = missing.length === 0 ? xml`` : xml`<a:propstat><a:status>HTTP/1.1 404 Resource Not Found</a:status><a:prop>${missing}</a:prop></a:propstat>`;
  const therePart = there.length === 0 && missing.length > 0 ? xml`` : xml`<a:propstat><a:status>HTTP/1.1 200 OK</a:status><a:prop>${there}</a:prop></a:propstat>`;
  return xml`<a:response><a:href>${href}</a:href>${therePart}${missingPart}</a:response>`;
}
