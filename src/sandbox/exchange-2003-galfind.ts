import { xml } from '../platform/xml/write.ts';
import type { XmlText } from '../platform/xml/write.ts';
import { namesOf } from './address-list.ts';
import type { ListedRow } from './address-list.ts';
import { readRawQuery } from './raw-query.ts';
import type { StandInAnswer, StandInRequest } from './stand-in.ts';

/** More than so many are refused as too many; what the real bound is, is in no source. */
const MOST = 100;

/** What each criterion compares with, at its beginning (exchange.md §2.5). */
const CRITERIA: Readonly<Record<string, (row: ListedRow) => string | undefined>> = {
  AN: ({ alias }) => alias,
  DN: ({ displayName }) => displayName,
  EM: ({ address }) => address,
  FN: (row) => namesOf(row).first,
  LN: (row) => namesOf(row).last,
  TL: ({ title }) => title,
  CP: ({ company }) => company,
  OF: ({ office }) => office,
  DP: ({ department }) => department,
};

/** Answers `GET /public/?Cmd=galfind&AN=…`: whoever all criteria fit; too many are an `error` and nobody. */
export function answerGalfind(request: StandInRequest, rows: readonly ListedRow[]): StandInAnswer {
  const query = readRawQuery(request.query);
  const wanted = Object.entries(CRITERIA).flatMap(([name, valueOf]) => query.all(name.toLowerCase()).map((text) => ({ valueOf, text: text.toLowerCase() })));
  const found = wanted.length === 0 ? [] : rows.filter((row) => wanted.every(({ valueOf, text }) => valueOf(row)?.toLowerCase().startsWith(text) === true));
  const content = found.length > MOST ? [xml`<a:error>too many</a:error>`] : found.map(itemOf);
  return { status: 200, headers: { 'Content-Type': 'text/xml' }, body: xml`<a:response xmlns:a="WM"><a:galfind>${content}</a:galfind></a:response>`.text, source: 'exchange.md §2.5' };
}

function itemOf(row: ListedRow): XmlText {
  const parts = Object.entries({ DN: row.displayName, AN: row.alias, EM: row.address, TL: row.title, CP: row.company, OFFICE: row.office, PH: row.phone });
  return xml`<a:item>${parts.flatMap(([name, text]) => (text === undefined ? [] : [xml`<a:${name}>${text}</a:${name}>`]))}</a:item>`;
}
