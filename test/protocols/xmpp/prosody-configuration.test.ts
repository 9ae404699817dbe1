import { expect, it } from 'vitest';
import { prosodyConfigurationLines } from '../../../src/protocols/xmpp/prosody-configuration.ts';

it('the lines for prosody.cfg.lua name component and host, and nothing breaks out of their quotes', () => {
  const lines = prosodyConfigurationLines('calendar.corp.example', 'corp.example');
  expect(lines).toContain('VirtualHost "corp.example"');
  expect(lines).toContain('Component "calendar.corp.example"');
  expect(lines).toContain('        ["calendar.corp.example"] = { iq = { ["http://jabber.org/protocol/pubsub"] = "both" } }');
  expect(prosodyConfigurationLines('a"b\\c', 'd\ne').join('\n')).toContain('Component "a\\"b\\\\c"');
});
