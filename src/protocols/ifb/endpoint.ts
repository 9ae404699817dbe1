import express from 'express';
import type { Router } from 'express';
import type { Clock } from '../../core/clock.ts';
import type { WorkingElsewhereAs } from '../../freebusy/busy-type.ts';
import type { FreeBusySource } from '../../freebusy/source.ts';
import type { SignIn } from '../../platform/auth/sign-in.ts';

export interface IfbServices {
  readonly source: FreeBusySource;
  readonly signIn: SignIn;
  readonly clock: Clock;
  readonly workingElsewhereAs: WorkingElsewhereAs;
  /** Without a trailing slash. */
  readonly publicUrl: () => string;
}

/** DRAFT */
export function ifbEndpoint(_services: IfbServices): Router {
  return express.Router();
}
