import express from 'express';
import type { Router } from 'express';
import type { ServedAddresses } from '../../directory/served-addresses.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';

export interface AutodiscoverServices {
  readonly signIn: SignIn;
  readonly addresses: ServedAddresses;
  /** Without a trailing slash; what is handed out begins with it. */
  readonly publicUrl: () => string;
}

/** DRAFT */
export function autodiscoverEndpoint(_services: AutodiscoverServices): Router {
  return express.Router();
}
