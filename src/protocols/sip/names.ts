/** RFC 3261 §7. */
export const SIP_VERSION = 'SIP/2.0';

/** RFC 3261 §8.1.1.7: a branch that is unique begins so. */
export const MAGIC_COOKIE = 'z9hG4bK';

/** RFC 3903 §11.1.1, RFC 3856 §6.1: the event package. */
export const PRESENCE_EVENT = 'presence';

/** RFC 3261 §25.1. */
export const TOKEN = /^[\w.!%*+`'~-]+$/;

/** RFC 3261 §7.3.3 and the documents that added letters (IANA "Header Fields"); what is left out concerns calls. */
export const LONG_NAMES: ReadonlyMap<string, string> = new Map([
  ['c', 'content-type'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['o', 'event'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
]);
