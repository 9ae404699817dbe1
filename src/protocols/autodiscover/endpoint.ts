import { Router } from 'express';
import type { Clock } from '../../core/clock.ts';
import type { ServedAddresses } from '../../directory/served-addresses.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';
import { jsonHandler } from './json-endpoint.ts';
import { poxHandler } from './pox-endpoint.ts';
import { soapHandler } from './soap-endpoint.ts';

export interface AutodiscoverServices {
  readonly signIn: SignIn;
  readonly addresses: ServedAddresses;
  /** Without a trailing slash; what is handed out begins with it. */
  readonly publicUrl: () => string;
  /** The time of day in an error. */
  readonly clock: Clock;
}

/**
 * Where the EWS face is: for an Exchange that discovers a domain (exchange.md §4.4), for Outlook and for EWS libraries. Three protocols, one answer; paths in any
 * case. Every address that a client may ask about is answered alike, nobody is looked up.
 */
export function autodiscoverEndpoint(services: AutodiscoverServices): Router {
  const router = Router({ caseSensitive: false });
  router.all('/autodiscover/autodiscover.xml', poxHandler(services));
  router.all('/autodiscover/autodiscover.svc', soapHandler(services));
  router.all(['/autodiscover/autodiscover.json', '/autodiscover/autodiscover.json/v1.0{/*address}'], jsonHandler(services));
  return router;
}
