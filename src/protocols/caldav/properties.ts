import { el } from '../../platform/xml/write.ts';
import type { XmlNode } from '../../platform/xml/write.ts';
import type { Caller } from './caller.ts';
import { CALDAV_NS, CALENDARSERVER_NS, DAV_NS } from './names.ts';
import type { PropertyName } from './names.ts';
import { hrefOf } from './resources.ts';
import type { ResourceKind } from './resources.ts';
import { REPORTS_OF } from './report-names.ts';

/** A property with its value. `inAllprop`: also given to who asks for everything; RFC 4918 §9.1 and those after it keep the computed ones out. */
export interface Property extends PropertyName {
  readonly element: XmlNode;
  readonly inAllprop: boolean;
}

/** Every property of a resource. */
export function propertiesOf(kind: ResourceKind, caller: Caller): readonly Property[] {
  return [...OF_ALL(kind, caller), ...(OF_KIND[kind]?.(caller) ?? [])];
}

const OF_ALL = (kind: ResourceKind, caller: Caller): readonly Property[] => [
  dav('resourcetype', true, ...TYPES[kind].map((type) => el(type))),
  dav('displayname', true, DISPLAY_NAMES[kind] ?? caller.name),
  // For clients whose library loses the question at a proxy's 301, and asks for nothing in particular where they begin.
  dav('current-user-principal', kind === 'site' || kind === 'root', href('principal', caller)),
  dav('principal-collection-set', false, href('principals', caller)),
  // Evolution finds the outbox by the calendar's owner.
  ...(OWNED.has(kind) ? [dav('owner', false, href('principal', caller))] : []),
  dav('current-user-privilege-set', false, ...['D:read', 'D:read-current-user-privilege-set', ...(PRIVILEGES[kind] ?? [])].map((one) => el('D:privilege', {}, el(one)))),
  dav('supported-report-set', false, ...REPORTS_OF[kind].map((one) => el('D:supported-report', {}, el('D:report', {}, el(one))))),
];

const TYPES: Readonly<Record<ResourceKind, readonly string[]>> = {
  site: ['D:collection'],
  root: ['D:collection'],
  principals: ['D:collection'],
  // As Nextcloud says it: a principal, whatever the slash at its end.
  principal: ['D:principal'],
  homes: ['D:collection'],
  home: ['D:collection'],
  calendar: ['D:collection', 'C:calendar'],
  inbox: ['D:collection', 'C:schedule-inbox'],
  outbox: ['D:collection', 'C:schedule-outbox'],
};

const DISPLAY_NAMES: Partial<Readonly<Record<ResourceKind, string>>> = {
  site: 'Free/busy',
  root: 'Free/busy',
  principals: 'Principals',
  homes: 'Calendars',
  calendar: 'Free/busy',
  inbox: 'Inbox',
  outbox: 'Outbox',
};

const OWNED: ReadonlySet<ResourceKind> = new Set(['principal', 'home', 'calendar', 'inbox', 'outbox']);

/** No D:write anywhere: Thunderbird makes the calendar read-only then. */
const PRIVILEGES: Partial<Readonly<Record<ResourceKind, readonly string[]>>> = {
  home: ['C:read-free-busy'],
  calendar: ['C:read-free-busy'],
  outbox: ['C:schedule-send', 'C:schedule-send-freebusy'],
};

const OF_KIND: Partial<Readonly<Record<ResourceKind, (caller: Caller) => readonly Property[]>>> = {
  principal: (caller) => [
    dav('principal-URL', false, href('principal', caller)),
    dav('group-membership', false),
    caldav('calendar-home-set', href('home', caller)),
    caldav('schedule-inbox-URL', href('inbox', caller)),
    caldav('schedule-outbox-URL', href('outbox', caller)),
    // The first is the one that Thunderbird signs its questions with.
    caldav('calendar-user-address-set', el('D:href', {}, caller.address)),
    caldav('calendar-user-type', 'INDIVIDUAL'),
    calendarServer('email-address-set', el('CS:email-address', {}, caller.address.replace(/^mailto:/, ''))),
  ],
  calendar: () => [
    caldav('supported-calendar-component-set', el('C:comp', { name: 'VEVENT' })),
    ICALENDAR_DATA,
    // What is asked about is never the time of this calendar, which holds nothing.
    caldav('schedule-calendar-transp', el('C:transparent')),
    NEVER_CHANGES,
  ],
  inbox: () => [caldav('supported-calendar-component-set', el('C:comp', { name: 'VEVENT' })), ICALENDAR_DATA, NEVER_CHANGES],
  outbox: () => [caldav('supported-calendar-component-set', el('C:comp', { name: 'VFREEBUSY' })), ICALENDAR_DATA],
};

const ICALENDAR_DATA = caldav('supported-calendar-data', el('C:calendar-data', { 'content-type': 'text/calendar', version: '2.0' }));
/** Nothing comes or goes. */
const NEVER_CHANGES = calendarServer('getctag', '"empty"');

function dav(name: string, inAllprop: boolean, ...content: readonly (XmlNode | string)[]): Property {
  return { ns: DAV_NS, name, inAllprop, element: el(`D:${name}`, {}, content) };
}

function caldav(name: string, ...content: readonly (XmlNode | string)[]): Property {
  return { ns: CALDAV_NS, name, inAllprop: false, element: el(`C:${name}`, {}, content) };
}

function calendarServer(name: string, ...content: readonly (XmlNode | string)[]): Property {
  return { ns: CALENDARSERVER_NS, name, inAllprop: false, element: el(`CS:${name}`, {}, content) };
}

function href(kind: ResourceKind, caller: Caller): XmlNode {
  return el('D:href', {}, hrefOf(kind, caller.name));
}
