import { nearest } from '../nearest.ts';
import { Secret } from '../secret.ts';
import { Mistake, text } from './field.ts';
import type { Field } from './field.ts';
import { authorityOf, readHttpUrl } from './url.ts';

const IN_URLS = ['address', 'localPart', 'domain', 'start', 'end'];
const IN_DNS = ['address', 'localPart', 'domain'];

/** A URL with placeholders in path or query only, as it stands. No message shows it. */
export function urlTemplate(): Field<Secret> {
  const right = 'an http or https URL, e.g. https://partner.example/freebusy/{address}.ifb';
  return text(right, (value) => {
    if (/[{}]/.test(authorityOf(value)) || /^[^:/]*[{}]/.test(value)) {
      throw new Mistake('placeholders stand only in path or query, never in scheme, host or port');
    }
    checkPlaceholders(value, IN_URLS);
    readHttpUrl(value.replace(/\{\w+\}/g, 'x'), right);
    return new Secret(value);
  });
}

/** The template of a legacyExchangeDN, as it stands: `/o=…` down to the `/cn=` that names the mailbox. */
export function legacyExchangeDnTemplate(): Field<string> {
  const right = 'a template such as /o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}';
  return text(right, (value) => {
    checkPlaceholders(value, IN_DNS);
    const parts = value.split('/').slice(1);
    const isDn = /^\/o=/i.test(value) && parts.every((part) => /^(?:o|ou|cn)=[^=\u0000-\u001f\u007f]+$/i.test(part));
    if (!isDn) return undefined;
    const last = parts.at(-1) ?? '';
    // Read backwards it says whose message a DN names: only the last name may differ from mailbox to mailbox.
    if (!/^cn=/i.test(last) || !namesMailbox(last) || /[{}]/.test(parts.slice(0, -1).join('/'))) {
      throw new Mistake(`should be ${right}: {localPart} or {address} in its last cn, and no placeholder before`);
    }
    // The same reading has to find where each ends: 1,000 characters take it a second where two touch, and 0.2 s with three.
    if (value.includes('}{') || last.split('{').length > 3) throw new Mistake('should have one placeholder in its last cn, or two with something between them: else nobody can tell whose message a DN names');
    return value;
  });
}

/** Whether a template's result differs from mailbox to mailbox. */
export function namesMailbox(template: string): boolean {
  return /\{(?:address|localPart)\}/.test(template);
}

function checkPlaceholders(value: string, known: readonly string[]): void {
  const there = `there are: ${known.map((name) => `{${name}}`).join(', ')}`;
  for (const [, name] of value.matchAll(/\{(\w{1,40})\}/g)) {
    if (name === undefined || known.includes(name)) continue;
    const near = nearest(name, known);
    // What stands in braces may be part of a secret in a query; only a near miss is named, by the right name.
    throw new Mistake(`holds a placeholder that is not known${near === undefined ? '' : `, did you mean {${near}}?`}; ${there}`);
  }
  if (/[{}]/.test(value.replace(/\{\w{1,40}\}/g, ''))) throw new Mistake(`holds a { or } that belongs to no placeholder; ${there}`);
}
