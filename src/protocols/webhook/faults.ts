import { BridgeError } from '../../core/errors.ts';

/** What a receiver's status means; undefined: accepted. */
export function faultOf(status: number, retryAfterMs: number | undefined): BridgeError | undefined {
  const details = { status };
  if (status >= 200 && status < 300) return undefined;
  switch (status) {
    case 401:
    case 403:
      return new BridgeError('BACKEND_AUTH', 'the receiver of the webhook refuses us: is its URL, or the secret, still right?', { details });
    case 410:
      return new BridgeError('CONFIGURATION', 'the receiver of the webhook has gone for good (410); it is not called again until the configuration is applied anew', { details });
    case 408:
    case 425:
    case 429:
    case 503:
      return new BridgeError('BACKEND_BUSY', 'the receiver of the webhook is busy', { temporary: true, retryAfterMs, details });
  }
  if (status >= 300 && status < 400) return new BridgeError('CONFIGURATION', 'the receiver of the webhook redirects, which is not followed; give the URL it leads to', { details });
  if (status >= 500) return new BridgeError('BACKEND_FAULT', 'the receiver of the webhook failed', { temporary: true, retryAfterMs, details });
  return new BridgeError('BACKEND_FAULT', 'the receiver of the webhook does not take this event', { details });
}
