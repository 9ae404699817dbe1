/** How a stock Zimbra asks the bridge; it can do only one of them (zimbra.md §0). */
export const ZIMBRA_WAYS = ['webdav', 'ews', 'zimbra'] as const;
export type ZimbraWay = (typeof ZIMBRA_WAYS)[number];
