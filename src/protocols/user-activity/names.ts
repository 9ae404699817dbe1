/** XEP-0108: namespace and node. */
export const ACTIVITY_NS = 'http://jabber.org/protocol/activity';
