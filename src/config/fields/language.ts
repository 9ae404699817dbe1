import { languageTag as canonicalTag } from '../../core/language-tag.ts';
import { Mistake, text } from './field.ts';
import type { Field } from './field.ts';

/** A language tag (BCP 47), in its usual spelling: `pt-br` becomes `pt-BR`. */
export function languageTag(): Field<string> {
  const right = 'a language tag, e.g. en, de or pt-BR';
  return text(right, (value) => {
    if (/^[a-z]{2,3}_/i.test(value)) throw new Mistake(`should be ${right}: with -, not _`);
    // Words like `german` are well-formed tags, and nobody's language.
    return /^[a-z]{2,3}(?:-|$)/i.test(value) ? canonicalTag(value) : undefined;
  });
}
