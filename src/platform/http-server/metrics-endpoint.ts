import { Router } from 'express';
import type { PrometheusMetrics } from '../metrics.ts';
import { noteForLog } from './request-scope.ts';

/** `/metrics` for Prometheus; on the admin listener only. */
export function metricsEndpoint(metrics: PrometheusMetrics): Router {
  const router = Router();
  router.get('/metrics', async (request, response) => {
    noteForLog(request, { face: 'metrics' });
    const { contentType, body } = await metrics.expose();
    response.setHeader('Content-Type', contentType);
    response.end(body);
  });
  return router;
}
