import ajvModule from 'ajv/dist/2020.js';
import formatsModule from 'ajv-formats';
import { afterEach, describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../src/core/errors.ts';
import type { FreeBusySource } from '../../../src/freebusy/source.ts';
import { restApiEndpoint } from '../../../src/protocols/rest-api/endpoint.ts';
import type { RestApiServices } from '../../../src/protocols/rest-api/endpoint.ts';
import { STATUS_OF } from '../../../src/platform/http-server/status-of.ts';
import { ask } from '../../platform/http-server/serving.ts';
import { DOCUMENT, openApi } from './serving.ts';
import type { Api } from './serving.ts';

const apis: Api[] = [];
afterEach(async () => {
  for (const api of apis.splice(0)) await api.close();
});
const nobody: FreeBusySource = { freeBusy: async () => [] };

/** `get /path/{name}` of every route of the router, as OpenAPI writes it. */
function routes(): readonly string[] {
  interface Layer {
    readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
  }
  const { stack } = restApiEndpoint({} as RestApiServices) as unknown as { readonly stack: readonly Layer[] };
  return stack.flatMap(({ route }) => (route === undefined ? [] : [route.path.replace(/:(\w+)/g, '{$1}')]));
}

describe('openapi.json', () => {
  it('has every route of the router, and the router has every path of it', () => {
    // The router takes every method, signs in, and answers those that are documented.
    const documented = Object.keys(DOCUMENT.paths);
    expect(documented.length).toBeGreaterThan(2);
    expect([...routes()].sort()).toEqual(documented.sort());
  });

  it('has a response for every way in which an operation can end', () => {
    for (const [path, methods] of Object.entries(DOCUMENT.paths)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        const needed = method === 'put' ? [200, 400, 401, 403, 404, 409, 413, 429, 503] : method === 'delete' ? [200, 401, 403, 404, 409, 429, 503] : path.endsWith('events') ? [200, 400, 401, 403, 406, 429, 503] : path.endsWith('freebusy') ? [200, 400, 401, 429] : path.endsWith('directory') ? [200, 400, 401, 403, 429] : path.includes('{address}') ? [200, 401, 403, 404, 429] : [200, 401, 429];
        expect([path, Object.keys(responses)]).toEqual([path, expect.arrayContaining(needed.map(String))]);
      }
    }
  });

  it('every schema compiles and every reference leads somewhere', () => {
    const ajv = new ajvModule.Ajv2020({ strict: false });
    formatsModule.default(ajv);
    ajv.addSchema({ $id: 'openapi', ...DOCUMENT });
    const schemas = Object.keys((DOCUMENT as unknown as { components: { schemas: Record<string, unknown> } }).components.schemas);
    expect(schemas.length).toBeGreaterThan(5);
    for (const name of schemas) expect(typeof ajv.getSchema(`openapi#/components/schemas/${name}`)).toBe('function');
    for (const [, pointer] of JSON.stringify(DOCUMENT).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = pointer!.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], DOCUMENT);
      expect([pointer, found]).toEqual([pointer, expect.anything()]);
    }
  });

  it('is what is served', async () => {
    const api = await openApi({ source: nobody });
    apis.push(api);
    expect((await api.get('/api/v1/openapi.json')).json).toEqual(DOCUMENT);
  });

  it('a method that is not in it is 405 and says which are', async () => {
    const api = await openApi({ source: nobody });
    apis.push(api);
    for (const [path, methods] of Object.entries(DOCUMENT.paths)) {
      const answer = await ask(api.url, path.replace('{address}', 'anna@corp.example'), { method: 'PATCH' });
      const allowed = (answer.headers.allow ?? '').split(', ').filter((one) => one !== 'HEAD').map((one) => one.toLowerCase());
      expect([path, answer.status, allowed.sort()]).toEqual([path, 405, Object.keys(methods).sort()]);
    }
  });

  it('a path that is not in it is 404', async () => {
    const api = await openApi({ source: nobody });
    apis.push(api);
    for (const target of ['/api/v1', '/api/v1/', '/api/v1/presence', '/api/v1/presence/', '/api/v2/freebusy', '/API/V1/freebusy', '/api/v1/presence/a/b', '/api/v1/presence/a/opt-in/x', '/api/v1/presence/a/calendar', '/api/v1/../v1/freebusy', '/api/v1/freebusy/x', '/api/v1/directory/a/b', '/API/v1/directory']) expect([target, (await ask(api.url, target)).status]).toEqual([target, 404]);
  });
});

describe('the table of faults', () => {
  it('is total: every code has a status of a refusal', () => {
    expect(Object.keys(STATUS_OF).sort()).toEqual([...ERROR_CODES].sort());
    for (const status of Object.values(STATUS_OF)) expect(status).toBeGreaterThanOrEqual(400);
  });
});
