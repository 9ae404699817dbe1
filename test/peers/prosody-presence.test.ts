import { it } from 'vitest';
import { startProsody, ALL_PRIVILEGES, COMPONENT, SECRET } from './prosody.ts';
import { XmppPublisher } from '../../src/protocols/xmpp/publisher.ts';
import { systemClock } from '../../src/core/clock.ts';
const log = (f: unknown, m: string) => console.log(m, JSON.stringify(f));
it('x', async () => {
  const p = await startProsody({ privileges: ALL_PRIVILEGES });
  const pub = new XmppPublisher({ component: COMPONENT, server: p.server, secret: SECRET, clock: systemClock, logger: { debug: log, info: log, warn: log, error: log } });
  const s = AbortSignal.timeout(15000);
  pub.start(() => console.log('lost'));
  try {
  const shown = { state: 'in-a-meeting', until: null, reason: 'calendar', since: 0, next: null, text: 'In a meeting', language: 'en' } as const;
  console.log(await pub.observe('alice@corp.example' as never, s));
  await pub.publish('alice@corp.example' as never, shown, s);
  console.log(await pub.observe('alice@corp.example' as never, s));
  await pub.withdraw('alice@corp.example' as never, s);
  await pub.withdraw('alice@corp.example' as never, s);
  await pub.withdraw('nobody@corp.example' as never, s);
  console.log(await pub.observe('alice@corp.example' as never, s));
  console.log(await pub.publish('nobody@corp.example' as never, shown, s).catch((e) => e));
  console.log(await pub.publish('bob@other.example' as never, shown, s).catch((e) => e));
  console.log(await pub.probe(s));
  } finally { console.log(p.log().slice(-3000)); await pub.close(); await p.close(); }
});
