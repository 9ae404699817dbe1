import express from 'express';
import type { Router } from 'express';
import type { EwsServices } from './face/operation.ts';

/** DRAFT */
export function ewsEndpoint(_services: EwsServices): Router {
  return express.Router();
}
