import { Router } from 'express';
import { readFileSync } from 'node:fs';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import ajvModule from 'ajv/dist/2020.js';
import formatsModule from 'ajv-formats';
import { DAY_MS } from '../../../src/core/clock.ts';
import { noMetrics } from '../../../src/core/metrics.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { Requester } from '../../../src/core/request-context.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import type { Directory } from '../../../src/directory/directory.ts';
import { NO_DIRECTORY } from '../../../src/directory/no-directory.ts';
import type { MailboxAddress } from '../../../src/directory/smtp-address.ts';
import type { FreeBusySource } from '../../../src/freebusy/source.ts';
import type { SignIn } from '../../../src/platform/auth/sign-in.ts';
import { createApp } from '../../../src/platform/http-server/app.ts';
import { LoadGate } from '../../../src/platform/http-server/load-gate.ts';
import type { Listener } from '../../../src/platform/http-server/listener.ts';
import { scopeOf } from '../../../src/platform/http-server/request-scope.ts';
import { DEFAULT_PRESENCE_MAPPING } from '../../../src/presence/mapping.ts';
import type { ShownPresence } from '../../../src/presence/presence.ts';
import { presenceContext } from '../../../src/presence/the-bridge.ts';
import { Timeline } from '../../../src/presence/timeline.ts';
import type { PresenceService } from '../../../src/presence/presence-service.ts';
import { restApiEndpoint } from '../../../src/protocols/rest-api/endpoint.ts';
import type { StreamBounds } from '../../../src/protocols/rest-api/presence-stream.ts';
import { PresenceStreams, StreamSlots } from '../../../src/protocols/rest-api/presence-streams.ts';
import { ASKER } from '../../freebusy/asking.ts';
import { FakePresence, shownAs } from '../../presence/fake-presence.ts';
import { ask, serve } from '../../platform/http-server/serving.ts';
import type { Answer } from '../../platform/http-server/serving.ts';

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: unknown }>> }>>>>;
}

export const DOCUMENT = JSON.parse(readFileSync(new URL('../../../src/protocols/rest-api/openapi.json', import.meta.url), 'utf8')) as OpenApi;

const ajv = new ajvModule.Ajv2020({ strict: false, allErrors: true });
formatsModule.default(ajv);
ajv.addSchema({ $id: 'openapi', ...DOCUMENT });

function validatorFor(path: string, method: string, status: number): ValidateFunction {
  const pointer = (text: string): string => text.replaceAll('~', '~0').replaceAll('/', '~1');
  const response = DOCUMENT.paths[path]?.[method]?.responses[String(status)];
  if (response === undefined) throw new Error(`${method} ${path} has no response ${status} in openapi.json`);
  const base = response.$ref ?? `#/paths/${pointer(path)}/${method}/responses/${status}`;
  const validate = ajv.getSchema(`openapi${encodeURI(`${base}/content/application~1json/schema`)}`);
  if (validate === undefined) throw new Error(`${method} ${path} ${status} has no JSON schema in openapi.json`);
  return validate;
}

/** Which path of the document a target is, by its templates. */
function documentPath(target: string): string {
  const path = target.replace(/\?.*$/s, '');
  const found = Object.keys(DOCUMENT.paths).sort((one, other) => one.split('{').length - other.split('{').length).find((template) => new RegExp(`^${template.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path));
  if (found === undefined) throw new Error(`${path} is not in openapi.json`);
  return found;
}

export interface Api {
  /** Asks, and holds what comes back against the document. */
  get(target: string, headers?: Record<string, string>): Promise<Answer & { readonly json: unknown }>;
  /** The same for any method; a body goes as application/json unless `headers` says otherwise. */
  send(method: string, target: string, body?: string, headers?: Record<string, string>): Promise<Answer & { readonly json: unknown }>;
  readonly streams: PresenceStreams;
  readonly gate: LoadGate;
  readonly url: string;
  close(): Promise<void>;
}

export interface ApiOptions {
  readonly source: FreeBusySource;
  readonly requester?: Requester | BridgeError;
  readonly optIn?: readonly string[];
  readonly directory?: Directory;
  readonly now?: number;
  /** In place of one from `source` and `optIn`. */
  readonly presence?: PresenceService;
  readonly homeOf?: (mailbox: MailboxAddress) => string | undefined;
  readonly slots?: StreamSlots;
  readonly bounds?: StreamBounds;
  readonly deadlineMs?: number;
  /** What everybody signs in with ends so long after the request. */
  readonly signedInForMs?: number;
}

/** Stands for protocols/pidf. */
export function fakePidf(mailbox: MailboxAddress, { state }: ShownPresence): string {
  return `<presence entity="pres:${mailbox}">${state}</presence>`;
}

/** Signs everybody in as this one client, or nobody. */
function signInAs(requester: Requester | BridgeError, forMs: number | undefined): SignIn {
  const refuse = (): never => {
    throw new Error('not used by this face');
  };
  return {
    fromRequest: async (request) => {
      if (requester instanceof BridgeError) throw requester;
      if (forMs !== undefined) scopeOf(request).signedInUntil = Date.now() + forMs;
      return requester;
    },
    withPassword: refuse,
    withPreauth: refuse,
    anonymous: refuse,
    expiryOf: refuse,
    issueToken: refuse,
    fromToken: refuse,
  };
}

/** What a calendar says of those who are listed. */
class PresenceOfSource extends FakePresence {
  readonly #source: FreeBusySource;
  readonly #listed: ReadonlySet<MailboxAddress>;
  readonly #now: number;

  constructor(source: FreeBusySource, listed: ReadonlySet<MailboxAddress>, now: number) {
    super();
    this.#source = source;
    this.#listed = listed;
    this.#now = now;
  }

  override async presenceOf(mailbox: MailboxAddress): Promise<ShownPresence | undefined> {
    if (!this.#listed.has(mailbox)) return undefined;
    const window = { start: this.#now, end: this.#now + DAY_MS };
    const [result] = await this.#source.freeBusy({ mailboxes: [mailbox], window, details: false }, presenceContext(this.#now + 5_000, AbortSignal.timeout(5_000)));
    if (result === undefined || 'error' in result) return shownAs('unknown', { until: null });
    const timeline = Timeline.of(result.freeBusy, DEFAULT_PRESENCE_MAPPING, this.#now);
    return shownAs(timeline.stateAt(this.#now), { until: timeline.changeAfter(this.#now) ?? null });
  }
}

export async function openApi({ source, requester = ASKER, optIn = [], directory = NO_DIRECTORY, now = 0, ...rest }: ApiOptions): Promise<Api> {
  const listed = new Set(optIn as readonly MailboxAddress[]);
  const presence = rest.presence ?? new PresenceOfSource(source, listed, now);
  const streams = new PresenceStreams(rest.slots ?? new StreamSlots(), rest.bounds);
  const gate = new LoadGate();
  const router = restApiEndpoint({ source, presence, streams, homeOf: rest.homeOf ?? (() => undefined), encodePidf: fakePidf, directory, signIn: signInAs(requester, rest.signedInForMs) });
  const listener: Listener = await serve(createApp({ trustedProxies: [], deadlineMs: rest.deadlineMs ?? 5_000, always: Router(), gate, routers: [router], logger: silentLogger, metrics: noMetrics }));
  const send: Api['send'] = async (method, target, body, headers = {}) => {
    const answer = await ask(listener.url, target, { method, headers: { ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }), ...headers }, ...(body === undefined ? {} : { body }) });
    const json: unknown = JSON.parse(answer.body);
    const validate = validatorFor(documentPath(target), method.toLowerCase(), answer.status);
    if (!validate(json)) throw new Error(`not as openapi.json says: ${ajv.errorsText(validate.errors)} in ${answer.body}`);
    return { ...answer, json };
  };
  return { url: listener.url, streams, gate, close: () => listener.close(0), get: (target, headers) => send('GET', target, undefined, headers), send };
}
