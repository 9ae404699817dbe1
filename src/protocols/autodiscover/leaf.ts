import { XmlText, escapeXml } from '../../platform/xml/write.ts';

/** An element with text. @param name a constant of ours, written as it is */
export function leaf(name: string, text: string): XmlText {
  return new XmlText(`<${name}>${escapeXml(text)}</${name}>`);
}

/** An element with elements, or an empty one. @param name a constant of ours, written as it is */
export function group(name: string, content: readonly XmlText[], attributes = ''): XmlText {
  return new XmlText(content.length === 0 ? `<${name}${attributes}/>` : `<${name}${attributes}>${content.map((one) => one.text).join('')}</${name}>`);
}
