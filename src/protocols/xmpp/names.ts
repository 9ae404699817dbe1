/** RFC 6120 §4.8.1: the stream's own namespace, with its errors. */
export const STREAM_NS = 'http://etherx.jabber.org/streams';

/** RFC 6120 §4.9.3: conditions of a stream's errors. */
export const STREAM_ERROR_NS = 'urn:ietf:params:xml:ns:xmpp-streams';

/** RFC 6120 §8.3.3: conditions of a stanza's errors. */
export const STANZA_ERROR_NS = 'urn:ietf:params:xml:ns:xmpp-stanzas';

/** XEP-0114: what a component's stream speaks. */
export const COMPONENT_NS = 'jabber:component:accept';

/** RFC 6120 §4.8.3: stanzas inside others name it. */
export const CLIENT_NS = 'jabber:client';

/** XEP-0356, since its version 0.4. */
export const PRIVILEGE_NS = 'urn:xmpp:privilege:2';

/** XEP-0356 before that: rosters, messages and presence, no IQs. ejabberd 23.01 says this one. */
export const OLD_PRIVILEGE_NS = 'urn:xmpp:privilege:1';

/** XEP-0297. */
export const FORWARD_NS = 'urn:xmpp:forward:0';

/** XEP-0060. */
export const PUBSUB_NS = 'http://jabber.org/protocol/pubsub';
