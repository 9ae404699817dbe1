/** Pieces of answers, written by hand from exchange.md §3.2 and §3.7; nothing here comes from our encoders. */
const T = 'http://schemas.microsoft.com/exchange/services/2006/types';
const M = 'http://schemas.microsoft.com/exchange/services/2006/messages';

export function envelope(body: string): string {
  return `<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header><t:ServerVersionInfo xmlns:t="${T}" MajorVersion="15" MinorVersion="2" MajorBuildNumber="1118" MinorBuildNumber="7" Version="V2017_07_11"/></s:Header><s:Body>${body}</s:Body></s:Envelope>`;
}

export function availability(...responses: readonly string[]): string {
  return envelope(
    `<m:GetUserAvailabilityResponse xmlns:m="${M}" xmlns:t="${T}"><m:FreeBusyResponseArray>${responses.join('')}</m:FreeBusyResponseArray></m:GetUserAvailabilityResponse>`,
  );
}

/** A FreeBusyResponse; `view` is the content of FreeBusyView, or undefined for none. */
export function response(view: string | undefined, code = 'NoError', responseClass = code === 'NoError' ? 'Success' : 'Error'): string {
  const viewElement = view === undefined ? '' : `<m:FreeBusyView>${view}</m:FreeBusyView>`;
  return `<m:FreeBusyResponse><m:ResponseMessage ResponseClass="${responseClass}"><m:ResponseCode>${code}</m:ResponseCode></m:ResponseMessage>${viewElement}</m:FreeBusyResponse>`;
}

export type EventText = readonly [start: string, end: string, type: string];

export function events(...list: readonly EventText[]): string {
  const inner = list.map(([start, end, type]) => `<t:CalendarEvent><t:StartTime>${start}</t:StartTime><t:EndTime>${end}</t:EndTime><t:BusyType>${type}</t:BusyType></t:CalendarEvent>`);
  return `<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray>${inner.join('')}</t:CalendarEventArray>`;
}

export function digits(text: string): string {
  return `<t:FreeBusyViewType>MergedOnly</t:FreeBusyViewType><t:MergedFreeBusy>${text}</t:MergedFreeBusy>`;
}

export function fault(code: string, messageXml = ''): string {
  const e = 'http://schemas.microsoft.com/exchange/services/2006/errors';
  return envelope(
    `<s:Fault><faultcode xmlns:a="${T}">a:${code}</faultcode><faultstring xml:lang="en-US">CANARY-REASON</faultstring><detail><e:ResponseCode xmlns:e="${e}">${code}</e:ResponseCode><e:Message xmlns:e="${e}">no</e:Message>${messageXml === '' ? '' : `<t:MessageXml xmlns:t="${T}">${messageXml}</t:MessageXml>`}</detail></s:Fault>`,
  );
}

/** A response message of GetFolder, FindFolder, FindItem or GetItem. */
export function operationAnswer(operation: string, content: string | undefined, code = 'NoError'): string {
  return operationAnswers(operation, [[content, code]]);
}

export function operationAnswers(operation: string, messages: readonly (readonly [content: string | undefined, code: string])[]): string {
  const inner = messages.map(
    ([content, code]) =>
      `<m:${operation}ResponseMessage ResponseClass="${code === 'NoError' ? 'Success' : 'Error'}"><m:ResponseCode>${code}</m:ResponseCode>${content ?? ''}</m:${operation}ResponseMessage>`,
  );
  return envelope(`<m:${operation}Response xmlns:m="${M}" xmlns:t="${T}"><m:ResponseMessages>${inner.join('')}</m:ResponseMessages></m:${operation}Response>`);
}
