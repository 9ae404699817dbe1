import type { Dispatcher } from 'undici';
import { OVER } from '../../core/over.ts';
import { newAgent } from './agent.ts';
import { BearerWire } from './bearer-wire.ts';
import type { HttpClientOptions } from './http-client.ts';
import { basicAuthentication, hopCount } from './interceptors.ts';
import { NtlmWire } from './ntlm/ntlm-wire.ts';
import type { Wire, WireRequest } from './wire.ts';

/** The way to servers by these options, signed in as they say. */
export function newWire(options: HttpClientOptions): Wire {
  const { authentication } = options;
  switch (authentication?.kind) {
    case 'ntlm':
      return new NtlmWire(options, authentication);
    case 'bearer':
      return new BearerWire(agentWire(options, []), authentication.tokens);
    case 'basic':
      return agentWire(options, [basicAuthentication(authentication.username, authentication.password)]);
    case undefined:
      return agentWire(options, []);
  }
}

function agentWire(options: HttpClientOptions, signIn: readonly Dispatcher.DispatcherComposeInterceptor[]): Wire {
  const ending = new AbortController();
  const agent = newAgent(options, ending.signal);
  // undici calls the last one first.
  const dispatcher = agent.compose(...[hopCount(), ...signIn, ...(options.interceptors ?? [])].reverse());
  return {
    request: async (request: WireRequest) => dispatcher.request(request),
    close: () => agent.close(),
    destroy: async () => {
      const destroyed = agent.destroy();
      ending.abort(OVER);
      await destroyed;
    },
  };
}
