import type { SoapVersion } from '../../soap/envelope.ts';

/** In what a message is written: SOAP 1.1 or 1.2, or Zimbra's JSON (`<format type="js"/>`). */
export type AnswerFormat = SoapVersion | 'js';

/** Times are numbers and flags booleans: JSON writes them bare, XML `1` and `0`. */
export type AnswerValue = string | number | boolean;

export type AnswerPair = readonly [name: string, value: string];

/**
 * One element of an answer, as Zimbra's own Element has it: written as XML or as JSON from the same structure (zimbra.md §1.2).
 */
export interface AnswerElement {
  readonly name: string;
  /** Only where it is another than its parent's: `xmlns`, or `_jsns`, the last member. */
  readonly ns?: string;
  readonly attributes?: Readonly<Record<string, AnswerValue | undefined>>;
  readonly text?: AnswerValue;
  /**
   * Zimbra's key-value pairs, before the children: `<a n="email">…</a>` each, in JSON one member `_attrs` of names to values, values of one name as a list
   * (Element.java, addKeyValuePair).
   */
  readonly pairs?: readonly AnswerPair[];
  readonly children?: readonly AnswerElement[];
  /**
   * How JSON says it; in XML it is an element whatever stands here. An element is a list of its kind (`"usr":[{…}]`) unless there
   * can be only one (`object`: `"Code":{…}`), or it is nothing but a value (`member`: `"lifetime":172799999`).
   */
  readonly once?: 'object' | 'member';
}

/** A child of a whole answer. One with thousands of children of its own has them as `many`, made while they are written: all at once would hold the event loop. */
export interface AnswerPart extends AnswerElement {
  readonly many?: Iterable<AnswerElement>;
}

/** A whole answer: the element in the Body. `parts` are its children, made while they are written: there may be hundreds of thousands of slots. */
export interface Answer extends Omit<AnswerElement, 'children' | 'once' | 'pairs' | 'text'> {
  readonly parts?: Iterable<AnswerPart>;
}
