import { Router } from 'express';
import { noteForLog } from './request-scope.ts';

/** `/healthz`: the process answers. `/readyz`: it takes questions (503 while it starts or ends). No sign-in, nothing else said. */
export function healthEndpoint(isReady: () => boolean): Router {
  const router = Router();
  router.get('/healthz', (request, response) => {
    noteForLog(request, { face: 'health' });
    response.type('text/plain').send('ok\n');
  });
  router.get('/readyz', (request, response) => {
    noteForLog(request, { face: 'health' });
    response.status(isReady() ? 200 : 503).type('text/plain').send(isReady() ? 'ready\n' : 'not ready\n');
  });
  return router;
}
