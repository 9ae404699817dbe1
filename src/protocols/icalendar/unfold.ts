import type { Pace } from '../../core/pace.ts';

/**
 * The unfolded lines of an iCalendar text (RFC 5545 §3.1), in order, blank ones left out. CRLF and bare LF both end a line; a line that
 * begins with a blank or a tab continues the one before.
 */
export async function* unfold(text: string, pace: Pace): AsyncGenerator<string, void> {
  let parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const feed = text.indexOf('\n', at);
    const end = feed === -1 ? text.length : feed;
    const physical = text.slice(at, end > at && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end);
    // Every physical line costs something, also one that holds nothing.
    if (pace.spend(physical.length + 16)) await pace.turn();
    at = end + 1;
    const first = physical.charCodeAt(0);
    if ((first === 0x20 || first === 0x09) && parts.length > 0) {
      parts.push(physical.slice(1));
      continue;
    }
    if (parts.length > 0) yield parts.join('');
    parts = physical.trim() === '' ? [] : [physical];
  }
  if (parts.length > 0) yield parts.join('');
}
