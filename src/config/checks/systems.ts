import { parseMailboxAddress } from '../../directory/smtp-address.ts';
import { namesMailbox } from '../fields/template.ts';
import type { Problem } from '../problems.ts';
import { mapOf, textOf, textsOf } from './outline.ts';
import type { Outline, RawMap } from './outline.ts';

/** At least one system; keys of one system that need each other; no mailbox in two systems. */
export function checkSystems({ top, systems }: Outline): readonly Problem[] {
  const problems: Problem[] = [];
  if (mapOf(top['systems']) !== undefined && systems.length === 0) {
    problems.push({ path: ['systems'], message: 'is empty; at least one system is needed' });
  }
  const homes = new Map<string, string>();
  for (const { name, keys } of systems) {
    if (name === 'outside') {
      problems.push({ path: ['systems', name], message: 'a system cannot be named outside: in from it means none of the systems' });
    }
    problems.push(...withinSystem(name, keys));
    for (const { index, text } of textsOf(keys['mailboxes'])) {
      const address = parseMailboxAddress(text);
      if (address === undefined) continue;
      const other = homes.get(address);
      if (other !== undefined && other !== name) {
        const message = `lives in the system ${other} already; a mailbox has one home`;
        problems.push({ path: ['systems', name, 'mailboxes', index], message });
      }
      homes.set(address, name);
    }
  }
  return problems;
}

function withinSystem(name: string, keys: RawMap): readonly Problem[] {
  const problems: Problem[] = [];
  const add = (key: string, message: string) => problems.push({ path: ['systems', name, key], message });
  if (keys['lookup'] === 'public-folder' && keys['legacyExchangeDn'] === undefined) {
    const example = '/o=Corp/ou=First Administrative Group/cn=Recipients/cn={localPart}';
    add('legacyExchangeDn', `is missing; lookup: public-folder needs it, e.g. ${example}`);
  }
  if (keys['type'] === 'ifb') {
    const lacking = ['username', 'password'].filter((key) => keys[key] === undefined);
    if (lacking.length === 1) add(lacking.join(), 'is missing; username and password go together');
    const url = textOf(keys['url']);
    if (url !== undefined && !namesMailbox(url) && !isForOneMailbox(keys)) {
      add('url', 'should have {address} or {localPart} in path or query: without it every mailbox would get the same answer');
    }
  }
  return problems;
}

function isForOneMailbox(keys: RawMap): boolean {
  return textsOf(keys['domains']).length === 0 && textsOf(keys['mailboxes']).length === 1;
}
