import { BridgeError } from '../../core/errors.ts';
import type { Command } from './names.ts';

/** What a refusal of mod_http_api is about (seen in 23.01); `retryAfterMs` as its header says. The answer's text is not repeated: it may hold what we sent. */
export function faultOf(command: Command, status: number, retryAfterMs?: number): BridgeError {
  const details = { command, status };
  switch (status) {
    case 401:
      return new BridgeError('BACKEND_AUTH', 'ejabberd does not know the account, or another password of it', { details });
    case 403:
      return new BridgeError('BACKEND_AUTH', `ejabberd does not let us call ${command}: grant it in api_permissions`, { details });
    case 404:
      return new BridgeError('CONFIGURATION', `ejabberd has no ${command} at this URL: give the path of mod_http_api, and load mod_admin_extra`, { details });
    case 429:
    case 503:
      return new BridgeError('BACKEND_BUSY', 'ejabberd is busy', { temporary: true, retryAfterMs, details });
    case 502:
    case 504:
      return new BridgeError('BACKEND_UNREACHABLE', 'what stands before ejabberd cannot reach it', { temporary: true, retryAfterMs, details });
  }
  if (status >= 300 && status < 400) return new BridgeError('CONFIGURATION', 'the URL redirects; give the one it leads to', { details });
  if (status >= 500) return new BridgeError('BACKEND_FAULT', `ejabberd failed in ${command}`, { temporary: true, retryAfterMs, details });
  return new BridgeError('BACKEND_FAULT', `ejabberd takes ${command} otherwise than we call it`, { details });
}
