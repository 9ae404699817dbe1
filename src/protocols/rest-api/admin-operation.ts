import type { IncomingMessage } from 'node:http';

/** Gives the answer's JSON. @param address what stands in the path's last part, where it has one; else empty */
export type AdminOperation = (request: IncomingMessage, address: string) => Promise<unknown>;

/** What a path of the admin listener does, by method; HEAD is GET. */
export type AdminMethods = Readonly<Partial<Record<'GET' | 'POST' | 'PUT' | 'DELETE', AdminOperation>>>;
