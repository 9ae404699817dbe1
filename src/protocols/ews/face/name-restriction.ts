import { attribute, child, descend } from '../../../platform/xml/element.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';

/** A condition on a folder's name. */
export interface NameRestriction {
  /** The text that the name is compared with, as it was written. */
  readonly text: string;
  matches(name: string): boolean;
}

/**
 * Reads a `m:Restriction` on folder:DisplayName: IsEqualTo, or Contains with its mode; without case, as Exchange compares names (a stock Zimbra
 * says nothing of ContainmentComparison). `nothing` for a condition on anything else, which no folder of ours fulfils; undefined without a Restriction.
 */
export function decodeNameRestriction(request: XmlElement): NameRestriction | 'nothing' | undefined {
  const restriction = child(request, 'Restriction');
  if (restriction === undefined) return undefined;
  const condition = restriction.children[0];
  const isAboutName = attribute(child(condition, 'FieldURI'), 'FieldURI') === 'folder:DisplayName';
  if (restriction.children.length !== 1 || !isAboutName) return 'nothing';
  const isEqual = condition!.name === 'IsEqualTo';
  const constant = isEqual ? descend(condition, 'FieldURIOrConstant', 'Constant') : child(condition, 'Constant');
  const text = attribute(constant, 'Value');
  if (text === undefined || text === '' || (!isEqual && condition!.name !== 'Contains')) return 'nothing';
  const wanted = text.toLowerCase();
  const mode = isEqual ? 'FullString' : (attribute(condition, 'ContainmentMode') ?? 'FullString');
  return {
    text,
    matches: (name) => {
      const at = name.toLowerCase().indexOf(wanted);
      if (mode === 'FullString') return at === 0 && name.length === text.length;
      return mode.startsWith('Prefix') ? at === 0 : at >= 0;
    },
  };
}
