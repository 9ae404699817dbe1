import { attribute, child, childrenNamed } from '../../../platform/xml/element.ts';
import { xml } from '../../../platform/xml/write.ts';
import { MESSAGES_NS, TYPES_NS } from '../names.ts';
import { schemaFault } from './faults.ts';
import type { EwsOperationFace } from './operation.ts';
import { isAtLeast } from './schema-version.ts';
import { serverTimeZones } from './server-time-zones.ts';
import type { ServerTimeZone } from './server-time-zones.ts';

/**
 * GetServerTimeZones (2010 and later): the zones that were asked for by their Windows ids, each once, in the server's order; all where none is named.
 * An id that nobody knows is left out. Whole definitions, unless ReturnFullTimeZoneData is false.
 *
 * @throws EwsFault ErrorSchemaValidation from a client whose schema does not have it
 */
export const getServerTimeZones: EwsOperationFace = async (request, call) => {
  if (!isAtLeast(call.version, 'Exchange2010')) throw schemaFault('GetServerTimeZones came with Exchange 2010.');
  const ids = child(request, 'Ids');
  const wanted = ids === undefined ? undefined : new Set(childrenNamed(ids, 'Id').map((one) => one.text.trim().toLowerCase()));
  if (wanted?.size === 0) throw schemaFault("The element 'Ids' has incomplete content.");
  const isFull = !/^(?:false|0)$/.test(attribute(request, 'ReturnFullTimeZoneData')?.trim() ?? 'true');
  const zones = await serverTimeZones(call.services.clock);
  const chosen = wanted === undefined ? zones : zones.filter(({ id }) => wanted.has(id.toLowerCase()));
  const written = chosen.map((zone: ServerTimeZone) => (isFull ? zone.full : zone.nameOnly));
  return xml`<m:GetServerTimeZonesResponse xmlns:m="${MESSAGES_NS}" xmlns:t="${TYPES_NS}"><m:ResponseMessages><m:GetServerTimeZonesResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode><m:TimeZoneDefinitions>${written}</m:TimeZoneDefinitions></m:GetServerTimeZonesResponseMessage></m:ResponseMessages></m:GetServerTimeZonesResponse>`;
};
