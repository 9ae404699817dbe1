import { attribute, child, childrenNamed, childText } from '../platform/xml/element.ts';
import type { XmlElement } from '../platform/xml/element.ts';
import { EwsFault } from './ews-envelope.ts';
import { MESSAGES_NS, TYPES_NS } from './ews-names.ts';
import type { SubscriptionKind } from './ews-subscriptions.ts';

/** What a Subscribe asks for, as far as the schema can tell. */
export interface SubscribeRequest {
  readonly kind: SubscriptionKind;
  readonly folderIds: readonly XmlElement[];
  readonly isForAllFolders: boolean;
  readonly types: ReadonlySet<string>;
  readonly watermark: string | undefined;
  /** Timeout of pull and StatusFrequency of push. */
  readonly minutes: number;
  /** Of push. */
  readonly url: string;
}

const KIND_OF_REQUEST: Readonly<Record<string, SubscriptionKind>> = { PushSubscriptionRequest: 'push', PullSubscriptionRequest: 'pull', StreamingSubscriptionRequest: 'streaming' };

/** The schema's NotificationEventTypeType. */
const EVENT_TYPES = ['CopiedEvent', 'CreatedEvent', 'DeletedEvent', 'ModifiedEvent', 'MovedEvent', 'NewMailEvent', 'FreeBusyChangedEvent'];

/** The sequence of each request; `?`: may be missing. */
const SEQUENCES: Readonly<Record<SubscriptionKind, readonly string[]>> = {
  push: ['FolderIds?', 'EventTypes', 'Watermark?', 'StatusFrequency', 'URL', 'CallerData?'],
  pull: ['FolderIds?', 'EventTypes', 'Watermark?', 'Timeout'],
  streaming: ['FolderIds?', 'EventTypes'],
};

/** Reads a Subscribe as strictly as the schema is. @throws EwsFault ErrorSchemaValidation */
export function readSubscribe(operation: XmlElement): SubscribeRequest {
  const [request, ...more] = operation.children;
  const kind = request?.ns === MESSAGES_NS && Object.hasOwn(KIND_OF_REQUEST, request.name) ? KIND_OF_REQUEST[request.name] : undefined;
  if (request === undefined || kind === undefined || more.length > 0) throw invalid('Subscribe');
  expectSequence(request, SEQUENCES[kind], TYPES_NS);
  const types = childrenNamed(child(request, 'EventTypes'), 'EventType').map((one) => one.text.trim());
  if (types.length === 0 || types.some((one) => !EVENT_TYPES.includes(one))) throw invalid('EventTypes');
  const folders = child(request, 'FolderIds');
  if (folders?.children.length === 0) throw invalid('FolderIds');
  const watermark = childText(request, 'Watermark');
  if (watermark === '') throw invalid('Watermark');
  return {
    kind,
    folderIds: folders?.children ?? [],
    isForAllFolders: attribute(request, 'SubscribeToAllFolders') === 'true',
    types: new Set(types),
    watermark,
    minutes: kind === 'push' ? boundedInteger(request, 'StatusFrequency', 1, 1_440) : kind === 'pull' ? boundedInteger(request, 'Timeout', 1, 1_440) : 0,
    url: childText(request, 'URL') ?? '',
  };
}

/** @throws EwsFault ErrorSchemaValidation */
export function readGetEvents(operation: XmlElement): { readonly id: string; readonly watermark: string } {
  expectSequence(operation, ['SubscriptionId', 'Watermark'], MESSAGES_NS);
  return { id: nonEmpty(operation, 'SubscriptionId'), watermark: nonEmpty(operation, 'Watermark') };
}

/** @throws EwsFault ErrorSchemaValidation */
export function readUnsubscribe(operation: XmlElement): string {
  expectSequence(operation, ['SubscriptionId'], MESSAGES_NS);
  return nonEmpty(operation, 'SubscriptionId');
}

/** @throws EwsFault ErrorSchemaValidation */
export function readGetStreamingEvents(operation: XmlElement): { readonly ids: readonly string[]; readonly minutes: number } {
  expectSequence(operation, ['SubscriptionIds', 'ConnectionTimeout'], MESSAGES_NS);
  const ids = child(operation, 'SubscriptionIds')?.children ?? [];
  if (ids.length === 0 || ids.some((one) => one.name !== 'SubscriptionId' || one.ns !== TYPES_NS || one.text.trim() === '')) throw invalid('SubscriptionIds');
  return { ids: ids.map((one) => one.text.trim()), minutes: boundedInteger(operation, 'ConnectionTimeout', 1, 30) };
}

function expectSequence(element: XmlElement, sequence: readonly string[], ns: string): void {
  let next = 0;
  for (const one of element.children) {
    while (next < sequence.length && sequence[next] !== one.name && sequence[next] !== `${one.name}?`) {
      if (!sequence[next]!.endsWith('?')) throw invalid(sequence[next]!);
      next++;
    }
    if (next >= sequence.length || one.ns !== ns) throw invalid(one.name);
    next++;
  }
  const missing = sequence.slice(next).find((one) => !one.endsWith('?'));
  if (missing !== undefined) throw invalid(missing);
}

function boundedInteger(parent: XmlElement, name: string, least: number, most: number): number {
  const text = childText(parent, name) ?? '';
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw invalid(name);
  return value;
}

function nonEmpty(parent: XmlElement, name: string): string {
  const text = childText(parent, name) ?? '';
  if (text === '') throw invalid(name);
  return text;
}

function invalid(what: string): EwsFault {
  return new EwsFault('ErrorSchemaValidation', `The request failed schema validation: ${what}.`);
}
