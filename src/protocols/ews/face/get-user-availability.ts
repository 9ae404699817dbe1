import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import { askMailboxes } from '../../../freebusy/ask-mailboxes.ts';
import type { Asked } from '../../../freebusy/ask-mailboxes.ts';
import { slotCount } from '../../../freebusy/slots.ts';
import { noteForLog } from '../../../platform/http-server/request-scope.ts';
import { XmlText } from '../../../platform/xml/write.ts';
import { MESSAGES_NS, TYPES_NS } from '../names.ts';
import { encodeFreeBusyResponse } from './free-busy-response.ts';
import type { ViewForm } from './free-busy-response.ts';
import { decodeGetUserAvailabilityRequest } from './get-user-availability-request.ts';
import type { EwsOperationFace } from './operation.ts';
import { isAtLeast } from './schema-version.ts';
import { ZoneClocks } from './zone-clock.ts';

/** GetUserAvailability (exchange.md §3.2). Each face keeps the clocks of the zones it was asked in. */
export function getUserAvailability(): EwsOperationFace {
  const clocks = new ZoneClocks();
  return async (request, call) => {
    const { services, version, header } = call;
    const { addresses, view, suggestions } = decodeGetUserAvailabilityRequest(request, version, header, clocks);
    noteForLog(call.request, { mailboxes: addresses.length });
    const asked = view === undefined ? undefined : await askMailboxes(services.source, addresses, view.window, view.details, call.context());
    const form = view && { ...view, hasWorkingElsewhere: isAtLeast(version, 'Exchange2013'), workingElsewhereAs: services.workingElsewhereAs };
    return encodeGetUserAvailabilityResponse(asked ?? [], form, suggestions);
  };
}

/**
 * The body of the answer: one FreeBusyResponse for each of `asked`, in order.
 *
 * @param form undefined: only suggestions were asked for, and there is no FreeBusyResponseArray
 * @param suggestions an answer without a single one: the bridge plans no meetings
 */
export async function encodeGetUserAvailabilityResponse(asked: readonly Asked[], form: ViewForm | undefined, suggestions: boolean): Promise<XmlText> {
  let out = OPEN;
  if (form !== undefined) {
    out += '<m:FreeBusyResponseArray>';
    const slots = form.merged ? slotCount(form.window, form.slotMinutes) / SLOTS_PER_STRETCH : 0;
    const pace = new Pace(LIMITS.stretchesPerTurn);
    for (const one of asked) {
      out += encodeFreeBusyResponse(one, form);
      if (pace.spend('freeBusy' in one.result ? 1 + slots + (one.result.freeBusy.events ?? one.result.freeBusy.busy).length : 1)) await pace.turn();
    }
    out += '</m:FreeBusyResponseArray>';
  }
  return new XmlText(`${out}${suggestions ? NO_SUGGESTIONS : ''}</m:GetUserAvailabilityResponse>`);
}

const OPEN = `<m:GetUserAvailabilityResponse xmlns:m="${MESSAGES_NS}" xmlns:t="${TYPES_NS}">`;
/** So many slots cost what one event does. */
const SLOTS_PER_STRETCH = LIMITS.slotsPerTurn / LIMITS.stretchesPerTurn;
const NO_SUGGESTIONS =
  '<m:SuggestionsResponse><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage><m:SuggestionDayResultArray></m:SuggestionDayResultArray></m:SuggestionsResponse>';
