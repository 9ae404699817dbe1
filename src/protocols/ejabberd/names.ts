/** XEP-0060 §7.1. */
export const NS_PUBSUB = 'http://jabber.org/protocol/pubsub';

/** Commands of mod_http_api that are used, and nothing else: what `api_permissions` has to grant. */
export const COMMANDS = ['check_account', 'user_sessions_info', 'set_presence', 'send_stanza'] as const;
export type Command = (typeof COMMANDS)[number];

/** RFC 6121 §4.7.2.1; `available` stands for none, as in what user_sessions_info says. */
export const SHOWS = ['available', 'chat', 'away', 'xa', 'dnd'] as const;
export type Show = (typeof SHOWS)[number];

/** How set_presence is told "no show": the Erlang atom (23.01 makes an empty text an empty, invalid `<show/>`). */
export const NO_SHOW = 'undefined';
