import { LIMITS } from '../../core/limits.ts';

/** The root elements in which free/busy messages come, whatever their prefix. */
const ROOT = /<((?:[A-Za-z_][\w.-]*:)?(?:multistatus|propertyupdate|Envelope|CreateItem|UpdateItem|GetItemResponse))(?=[\s/>])/g;

/**
 * Cuts the XML documents out of a text in which other things may stand between them: heads of requests and answers, marks of a log.
 * A document without its end goes to the end of the text; at most LIMITS.decodedDocuments of them.
 */
export function cutDocuments(text: string): readonly string[] {
  const documents: string[] = [];
  let readTo = 0;
  for (const match of text.matchAll(ROOT)) {
    if (match.index < readTo) continue;
    if (documents.length === LIMITS.decodedDocuments) break;
    const start = prologStart(text.slice(readTo, match.index)) ?? match.index - readTo;
    const end = endOf(text, match.index, match[1]!);
    documents.push(text.slice(readTo + start, end));
    readTo = end;
  }
  return documents;
}

/** An XML declaration, or what must not stand there and has to be refused by the reader. */
function prologStart(between: string): number | undefined {
  const doctype = between.search(/<!DOCTYPE/i);
  const at = doctype < 0 ? between.lastIndexOf('<?xml') : doctype;
  return at < 0 ? undefined : at;
}

/** `</m:GetItemResponse` alone may be the beginning of a longer name. */
function endOf(text: string, from: number, name: string): number {
  const end = new RegExp(`</${name.replaceAll('.', '\\.')}\\s*>`, 'g');
  end.lastIndex = from;
  return end.test(text) ? end.lastIndex : text.length;
}
