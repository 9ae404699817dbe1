import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../../core/clock.ts';
import type { RequestContext, Requester } from '../../../core/request-context.ts';
import type { Directory } from '../../../directory/directory.ts';
import type { ServedAddresses } from '../../../directory/served-addresses.ts';
import type { WorkingElsewhereAs } from '../../../freebusy/busy-type.ts';
import type { FreeBusySource } from '../../../freebusy/source.ts';
import type { SignIn } from '../../../platform/auth/sign-in.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import type { XmlNode, XmlText } from '../../../platform/xml/write.ts';
import type { PushedMessages } from '../../schedule-plus/pushed-messages.ts';
import type { SchemaVersion } from './schema-version.ts';

export interface EwsServices {
  readonly source: FreeBusySource;
  readonly signIn: SignIn;
  readonly clock: Clock;
  readonly workingElsewhereAs: WorkingElsewhereAs;
  readonly addresses: ServedAddresses;
  /** The address book, for clients that may see it; absent: none is kept. */
  readonly directory?: Directory | undefined;
  /** Where a Zimbra's own pushes go; absent: there are no public folders here. */
  readonly pushed?: PushedMessages | undefined;
}

/** One call on its way: who asks, in which version, with which SOAP header. */
export interface EwsCall {
  readonly services: EwsServices;
  readonly request: IncomingMessage;
  readonly requester: Requester;
  /** What the caller's schema is: that of RequestServerVersion, the oldest where there is none. */
  readonly version: SchemaVersion;
  /** The SOAP Header, for those who need more of it (TimeZoneContext). */
  readonly header: XmlElement | undefined;
  /** The context in which the lookup answers; made when it is wanted. */
  context(): RequestContext;
}

/** What stands in the Body of an answer. Pieces, where it may be large: they are its text one after the other. */
export type EwsBody = XmlNode | XmlText | readonly XmlText[];

/**
 * One operation of the face: reads the element in the Body, answers with the element for the Body of the answer.
 *
 * @throws EwsFault the whole request is refused; BridgeError likewise, by the table in faults.ts
 */
export type EwsOperationFace = (request: XmlElement, call: EwsCall) => Promise<EwsBody>;
