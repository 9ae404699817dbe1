import { COMMANDS } from './names.ts';

export interface EjabberdConfiguration {
  /** The full JID of the bridge's account; absent: `address`. */
  readonly username?: string | undefined;
  /** The bridge's address, where it has no account: `192.0.2.7/32`. */
  readonly address?: string | undefined;
}

/** What ejabberd.yml needs, to be shown to an administrator: the API's path under a listener of ejabberd_http, the rights of the four commands and nothing else, and the modules. */
export function ejabberdConfigurationLines({ username, address }: EjabberdConfiguration): string {
  // JSON's strings are YAML's.
  const who = username === undefined ? `ip: ${JSON.stringify(address ?? '127.0.0.0/8')}` : `user: ${JSON.stringify(username)}`;
  return `# under \`listen\`, with the listener of ejabberd_http: request_handlers: { /api: mod_http_api }
acl:
  freebusy_bridge:
    ${who}
api_permissions:
  "freebusy-bridge":
    from: mod_http_api
    who:
      access:
        allow:
          acl: freebusy_bridge
    what: [${COMMANDS.join(', ')}]
modules:
  mod_admin_extra: {}
  mod_caps: {}
  mod_http_api: {}
  mod_pubsub:
    plugins: [flat, pep]
`;
}
