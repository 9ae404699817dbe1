import { Buffer } from 'node:buffer';
import { setTimeout as pause } from 'node:timers/promises';
import { AD_BASE } from '../peers/slapd.ts';
import type { Slapd } from '../peers/slapd.ts';
import { DOMAIN } from './bridge-process.ts';

/** Longer than the contract's minute, so that a late change is seen to come. */
const PATIENCE_MS = 120_000;

/** A change and how long it was in the directory until the JSON face showed it; PATIENCE_MS where it never did. */
export interface ShownChange {
  readonly what: string;
  readonly ms: number;
}

/** Somebody new, somebody renamed, somebody deleted, all at the same time. */
export async function untilShown(slapd: Slapd, origin: string, { username, password }: { readonly username: string; readonly password: string }): Promise<readonly ShownChange[]> {
  const many = `ou=many,${AD_BASE}`;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const answerAbout = async (localPart: string): Promise<string> => {
    const answer = await fetch(`${origin}/api/v1/directory/${localPart}@${DOMAIN}`, { headers: { authorization } });
    return `${answer.status} ${await answer.text()}`;
  };
  await slapd.add(`dn: cn=Newcomer,${many}\nobjectClass: user\nobjectClass: mailRecipient\ncn: Newcomer\nsn: Newcomer\nmail: newcomer@${DOMAIN}\n`);
  await slapd.modify(`cn=Anna Bergberg 000000,${many}`, 'replace: displayName', 'displayName: Renamed, Anna');
  await slapd.delete(`cn=Bernd Bergneu 000001,${many}`);
  const started = performance.now();
  const since = async (what: string, localPart: string, isShown: (answer: string) => boolean): Promise<ShownChange> => {
    while (performance.now() - started < PATIENCE_MS && !isShown(await answerAbout(localPart))) await pause(100);
    return { what, ms: performance.now() - started };
  };
  return Promise.all([
    since('added', 'newcomer', (answer) => answer.startsWith('200')),
    since('renamed', 'p000000', (answer) => answer.includes('Renamed')),
    since('deleted', 'p000001', (answer) => answer.startsWith('404')),
  ]);
}
