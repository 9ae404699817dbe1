import { LIMITS } from '../../../core/limits.ts';
import { Pace } from '../../../core/pace.ts';
import { askMailboxes, withWorkingHours } from '../../../freebusy/ask-mailboxes.ts';
import type { Asked } from '../../../freebusy/ask-mailboxes.ts';
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
    const asked = view === undefined ? undefined : await askMailboxes(view.events ? withWorkingHours(services.source) : services.source, addresses, view.window, view.details, call.context());
    const form = view && { ...view, hasWorkingElsewhere: isAtLeast(version, 'Exchange2013'), workingElsewhereAs: services.workingElsewhereAs };
    return encodeGetUserAvailabilityResponse(asked ?? [], form, suggestions);
  };
}

/**
 * The body of the answer: one FreeBusyResponse for each of `asked`, in order. In pieces: that of a hundred busy mailboxes with details is 27 MB, and
 * made into bytes at one go it would hold the event loop for 200 ms (measured).
 *
 * @param form undefined: only suggestions were asked for, and there is no FreeBusyResponseArray
 * @param suggestions an answer without a single one: the bridge plans no meetings
 */
export async function encodeGetUserAvailabilityResponse(asked: readonly Asked[], form: ViewForm | undefined, suggestions: boolean): Promise<readonly XmlText[]> {
  const pieces: XmlText[] = [];
  let out = OPEN;
  if (form !== undefined) {
    out += '<m:FreeBusyResponseArray>';
    const pace = new Pace(LIMITS.ewsCharactersPerPiece);
    for (const one of asked) {
      for (const text of encodeFreeBusyResponse(one, form)) {
        out += text;
        if (!pace.spend(text.length)) continue;
        pieces.push(new XmlText(out));
        out = '';
        await pace.turn();
      }
    }
    out += '</m:FreeBusyResponseArray>';
  }
  return [...pieces, new XmlText(`${out}${suggestions ? NO_SUGGESTIONS : ''}</m:GetUserAvailabilityResponse>`)];
}

const OPEN = `<m:GetUserAvailabilityResponse xmlns:m="${MESSAGES_NS}" xmlns:t="${TYPES_NS}">`;
const NO_SUGGESTIONS =
  '<m:SuggestionsResponse><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode></m:ResponseMessage><m:SuggestionDayResultArray></m:SuggestionDayResultArray></m:SuggestionsResponse>';
