import { PUBSUB_NS } from './names.ts';

/**
 * What an administrator adds to prosody.cfg.lua, line by line, for the users of one host; the secret stands for itself. Tried with Prosody 0.12.3 and Debian's prosody-modules.
 *
 * @param component the component's domain
 * @param host the users' domain, which is that of their mail addresses
 */
export function prosodyConfigurationLines(component: string, host: string): readonly string[] {
  const [componentText, hostText] = [luaString(component), luaString(host)];
  return [
    '-- Debian: apt-get install prosody-modules; elsewhere plugin_paths must lead to mod_privilege.',
    `VirtualHost ${hostText}`,
    '    modules_enabled = { "privilege" } -- beside those that stand there',
    '    privileged_entities = {',
    `        [${componentText}] = { iq = { [${luaString(PUBSUB_NS)}] = "both" } }`,
    '    }',
    '',
    `Component ${componentText}`,
    '    component_secret = "the secret of the publisher"',
    '    modules_enabled = { "privilege" }',
  ];
}

/** The line of it that grants what we need. */
export function privilegeLine(component: string): string {
  return `privileged_entities = { [${luaString(component)}] = { iq = { [${luaString(PUBSUB_NS)}] = "both" } } }`;
}

function luaString(text: string): string {
  return `"${text.replace(/[\p{Cc}]/gu, '').replace(/["\\]/g, '\\$&')}"`;
}
