import { xml } from '../../../platform/xml/write.ts';
import type { XmlText } from '../../../platform/xml/write.ts';
import { MESSAGES_NS } from '../names.ts';
import type { Refusal } from './response-messages.ts';

/** Why an operation whose answer *is* its one response message (FindPeople, GetRoomLists, GetRooms) gives nothing; GetPersona's schema wants a Persona even then. */
export function refusedPeople(operation: string, { code, text }: Refusal): XmlText {
  return xml`<m:${operation}Response xmlns:m="${MESSAGES_NS}" ResponseClass="Error"><m:MessageText>${text}</m:MessageText><m:ResponseCode>${code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey></m:${operation}Response>`;
}
