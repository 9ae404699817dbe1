import { memoryTexts } from '../../../../src/presence/publisher.ts';
import type { KeptTexts } from '../../../../src/presence/publisher.ts';
import type { LogFields, Logger } from '../../../../src/core/logger.ts';
import type { RequestContext } from '../../../../src/core/request-context.ts';
import { silentLogger } from '../../../../src/core/logger.ts';
import type { MailboxAddress } from '../../../../src/directory/smtp-address.ts';
import { HttpCallBack } from '../../../../src/platform/call-back/http-call-back.ts';
import { EwsPresenceGateway } from '../../../../src/protocols/ews/presence-gateway.ts';
import type { EwsPresenceGatewayOptions } from '../../../../src/protocols/ews/presence-gateway.ts';
import { answerOrphan } from '../../../../src/protocols/ews/watch/send-notification.ts';
import { endWithTest, ScriptedExchange } from './scripted-exchange.ts';

export const at = (name: string): MailboxAddress => `${name}@corp.example` as MailboxAddress;
export const setOf = (...names: readonly string[]): ReadonlySet<MailboxAddress> => new Set(names.map(at));

/** A gateway in front of a scripted Exchange, with a clock that a test moves on. */
export interface Bench {
  readonly exchange: ScriptedExchange;
  readonly gateway: EwsPresenceGateway;
  /** `alice notified`, in order. */
  readonly changes: string[];
  /** Last word about each mailbox. */
  readonly troubles: Map<string, string | undefined>;
  readonly memory: KeptTexts;
  readonly logged: { readonly level: string; readonly fields: LogFields; readonly message: string }[];
  readonly callBack: HttpCallBack | undefined;
  /** Time passes at once. */
  readonly pass: (ms: number) => void;
}

export async function callBackPort(): Promise<HttpCallBack> {
  const port = await HttpCallBack.open({ host: '127.0.0.1', port: 0, publicHost: '127.0.0.1', onUnknown: answerOrphan }, silentLogger);
  endWithTest(() => port.close());
  return port;
}

export interface BenchOptions extends Partial<EwsPresenceGatewayOptions> {
  readonly exchange?: ScriptedExchange;
  readonly hasCallBack?: boolean;
}

export async function bench({ exchange: given, hasCallBack = true, ...over }: BenchOptions = {}): Promise<Bench> {
  const exchange = given ?? (await ScriptedExchange.start());
  const callBack = hasCallBack ? ((over.callBack as HttpCallBack | undefined) ?? (await callBackPort())) : undefined;
  const changes: string[] = [];
  const troubles = new Map<string, string | undefined>();
  const logged: Bench['logged'] = [];
  const log = (level: string) => (fields: LogFields, message: string) => void logged.push({ level, fields, message });
  const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  let offset = 0;
  const memory = over.memory ?? memoryTexts();
  const gateway = new EwsPresenceGateway({
    description: 'Exchange EWS 1',
    servers: [exchange.url],
    accounts: [{ kind: 'basic', username: 'CORP\\bridge', password: 'secret' }],
    hosts: [],
    notifications: 'auto',
    statusFrequencyMinutes: 60,
    apply: 'gradual',
    timeoutMs: 5_000,
    concurrency: 4,
    isReachable: true,
    listener: {
      changed: (mailboxes, reason) => void changes.push(...mailboxes.map((one) => `${one.split('@')[0]!} ${reason}`)),
      trouble: (mailbox, reason) => void troubles.set(mailbox.split('@')[0]!, reason),
    },
    clock: { now: () => Date.now() + offset },
    logger,
    timing: { tickMs: 5, settleMs: 0, silenceMs: 10_000, pullEveryMs: 20, pauses: { firstMs: 10, longestMs: 60_000 } },
    ...over,
    callBack,
    memory,
  });
  endWithTest(() => gateway.close());
  return { exchange, gateway, changes, troubles, memory, logged, callBack, pass: (ms) => void (offset += ms) };
}

export function context(): RequestContext {
  return { requestId: 'test', requester: { name: 'test', from: 'outside', mayAsk: 'all', detail: 'none', anonymous: false, presence: 'none' }, hops: 0, deadline: Date.now() + 5_000, signal: new AbortController().signal };
}
