import { attribute, childrenNamed } from '../../platform/xml/element.ts';
import type { XmlElement } from '../../platform/xml/element.ts';

/** Slots shown of one user. */
const EXPLAINED_SLOTS = 50;

/** One line for each user of a GetFreeBusyResponse, slots as the server named them and times readable, without subjects or places. */
export function explainUsers(response: XmlElement | undefined): readonly string[] {
  return childrenNamed(response, 'usr').map((usr) => {
    const slots = usr.children.slice(0, EXPLAINED_SLOTS).map((slot) => `${slot.name} ${readable(slot, 's')}/${readable(slot, 'e')}`);
    const rest = usr.children.length - slots.length;
    return `usr ${attribute(usr, 'id') ?? ''}: ${[...slots, ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ') || 'no slots'}`;
  });
}

function readable(slot: XmlElement, name: 's' | 'e'): string {
  const text = attribute(slot, name) ?? '';
  const date = new Date(/^\d{1,15}$/.test(text) ? Number(text) : Number.NaN);
  return Number.isNaN(date.getTime()) ? `“${text}”` : date.toISOString();
}
