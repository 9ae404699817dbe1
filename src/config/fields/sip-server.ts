import type { SipPublisherConfig } from '../presence-config.ts';
import { quoted } from '../key-path.ts';
import { Mistake, text } from './field.ts';
import type { Field } from './field.ts';
import { readHostAndPort } from './host.ts';

const RIGHT = 'sip:host, sip:host:port;transport=udp|tcp|tls or sips:host, e.g. sip:im.corp.example:5060';

/** The URI of a presence server (RFC 3261 §19.1): UDP unless it says otherwise; `sips:` is TLS. Nobody's name and no other parameter stand in it. */
export function sipServer(): Field<SipPublisherConfig['server']> {
  return text(RIGHT, (value) => {
    const match = /^(sips?):([^;?]*)((?:;[^;?]*)*)(\?.*)?$/is.exec(value);
    if (match === null) throw new Mistake(`should be ${RIGHT}`);
    const [, scheme = '', place = '', parameters = '', headers] = match;
    if (place.includes('@')) throw new Mistake(`should be ${RIGHT}: without a user; an account belongs under username and password`);
    if (place.startsWith('//')) throw new Mistake(`should be ${RIGHT}: a SIP URI has no //`);
    if (headers !== undefined) throw new Mistake(`should be ${RIGHT}: without headers (?)`);
    const transport = transportOf(scheme.toLowerCase() === 'sips', parameters.split(';').slice(1));
    const server = readHostAndPort(place, transport === 'tls' ? 5061 : 5060);
    return server === undefined ? undefined : { ...server, transport };
  });
}

function transportOf(isSips: boolean, parameters: readonly string[]): 'udp' | 'tcp' | 'tls' {
  const [first, ...more] = parameters;
  if (first === undefined) return isSips ? 'tls' : 'udp';
  const [name = '', transport = ''] = first.toLowerCase().split('=');
  if (more.length > 0 || name !== 'transport') throw new Mistake(`should be ${RIGHT}: ${quoted((name === 'transport' ? more[0]! : first).split('=')[0]!)} is no parameter that the bridge knows here`);
  if (transport !== 'udp' && transport !== 'tcp' && transport !== 'tls') throw new Mistake(`should be ${RIGHT}: ${quoted(transport)} is no transport that the bridge has`);
  if (!isSips) return transport;
  if (transport === 'udp') throw new Mistake(`should be ${RIGHT}: sips is TLS, which does not go over udp`);
  return 'tls';
}
