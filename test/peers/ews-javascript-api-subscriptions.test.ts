import ews from 'ews-javascript-api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCalendarStore } from '../../src/sandbox/calendar-store.ts';
import type { CalendarStore } from '../../src/sandbox/calendar-store.ts';
import { createExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import type { ExchangeEws } from '../../src/sandbox/exchange-ews.ts';
import { DAY, exchangeService } from './ews-javascript-api-client.ts';
import { PEER } from './peer-world.ts';

// The stand-in is the judge of our subscriptions; this client, which is not ours, is the stand-in's. A devDependency, so nothing is skipped.

const HOUR = 3_600_000;
const ANNA = 'anna@corp.example';
const TYPES = [ews.EventType.Created, ews.EventType.Modified, ews.EventType.Deleted, ews.EventType.FreeBusyChanged];

let server: ExchangeEws;
let calendars: CalendarStore;
let service: ews.ExchangeService;
beforeAll(async () => {
  calendars = createCalendarStore([{ address: ANNA, displayName: 'Anna' }]);
  server = createExchangeEws({ username: PEER.username, password: PEER.password, domain: 'CORP', calendars, clock: { now: () => DAY }, folderNameOf: () => '予定表' });
  await server.listen();
});
afterAll(async () => server.close());
beforeEach(() => {
  calendars.clear(ANNA);
  service = exchangeService(server.url, 'Basic', { zone: 'UTC' });
  service.ImpersonatedUserId = new ews.ImpersonatedUserId(ews.ConnectingIdType.SmtpAddress, ANNA);
});

const calendar = (): ews.FolderId => new ews.FolderId(ews.WellKnownFolderName.Calendar);

describe('ews-javascript-api and the stand-in Exchange', () => {
  it('binds to the calendar in its owner’s language', async () => {
    const folder = await ews.CalendarFolder.Bind(service, ews.WellKnownFolderName.Calendar);
    expect([folder.DisplayName, folder.TotalCount]).toEqual(['予定表', 0]);
  });

  it('sees appointments in a view of the calendar', async () => {
    calendars.add(ANNA, { start: DAY + 9 * HOUR, end: DAY + 10 * HOUR, type: 'oof', subject: 'Fair', isAllDay: true, isCancelled: true, reply: 'accepted', sensitivity: 'private' });
    calendars.add(ANNA, { start: DAY + 48 * HOUR, end: DAY + 49 * HOUR, type: 'busy' });
    const view = new ews.CalendarView(new ews.DateTime(DAY, ews.DateTimeKind.Utc), new ews.DateTime(DAY + 24 * HOUR, ews.DateTimeKind.Utc));
    view.PropertySet = new ews.PropertySet(ews.BasePropertySet.IdOnly, [
      ews.AppointmentSchema.Start, ews.AppointmentSchema.End, ews.AppointmentSchema.LegacyFreeBusyStatus, ews.AppointmentSchema.IsAllDayEvent, ews.AppointmentSchema.IsCancelled, ews.AppointmentSchema.MyResponseType, ews.ItemSchema.Sensitivity,
    ]);
    const { Items } = await service.FindAppointments(ews.WellKnownFolderName.Calendar, view);
    expect(Items.map((one) => [one.Start.MomentDate.valueOf(), one.End.MomentDate.valueOf(), ews.LegacyFreeBusyStatus[one.LegacyFreeBusyStatus], one.IsAllDayEvent, one.IsCancelled, ews.MeetingResponseType[one.MyResponseType], ews.Sensitivity[one.Sensitivity]])).toEqual([
      [DAY + 9 * HOUR, DAY + 10 * HOUR, 'OOF', true, true, 'Accept', 'Private'],
    ]);
  });

  it('pulls events: created, changed, gone', async () => {
    const subscription = await service.SubscribeToPullNotifications([calendar()], 10, null as unknown as string, ...TYPES.slice(0, 3));
    const entry = calendars.add(ANNA, { start: DAY + 9 * HOUR, end: DAY + 10 * HOUR, type: 'busy' });
    const first = await subscription.GetEvents();
    expect(first.ItemEvents.map((one) => [ews.EventType[one.EventType], one.ItemId.UniqueId !== '', one.TimeStamp.MomentDate.valueOf()])).toEqual([['Created', true, DAY]]);
    calendars.update(ANNA, entry.id, { type: 'free' });
    calendars.remove(ANNA, entry.id);
    const second = await subscription.GetEvents();
    expect(second.ItemEvents.map((one) => ews.EventType[one.EventType])).toEqual(['Modified', 'Deleted']);
    expect((await subscription.GetEvents()).ItemEvents).toEqual([]);
    await subscription.Unsubscribe();
    expect(server.subscriptions).toEqual([]);
  });

  it('streams events', async () => {
    const subscription = await service.SubscribeToStreamingNotifications([calendar()], ...TYPES);
    const connection = new ews.StreamingSubscriptionConnection(service, 1);
    connection.AddSubscription(subscription);
    const heard = new Promise<readonly string[]>((resolve, reject) => {
      connection.OnNotificationEvent.push((_, args) => resolve(args.Events.map((one) => ews.EventType[one.EventType])));
      connection.OnSubscriptionError.push((_, args) => reject(new Error(String(args.Exception))));
    });
    // Its promise is never kept: what opens is seen from the other side.
    void connection.Open();
    await expect.poll(() => server.streams).toBe(1);
    calendars.add(ANNA, { start: DAY + 9 * HOUR, end: DAY + 10 * HOUR, type: 'busy' });
    expect(await heard).toEqual(['Created', 'FreeBusyChanged']);
    connection.Close();
    server.closeStreams('closed');
    await subscription.Unsubscribe();
  });
});
