import type { BridgeError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { OwaConnection } from './client-connection.ts';

/** At which server each EX: folder is written: replicas copy what is written into one of them. */
export class FolderHomes {
  readonly #homes = new Map<string, OwaConnection>();

  of(folder: string): OwaConnection | undefined {
    return this.#homes.get(folder.toLowerCase());
  }

  set(folder: string, server: OwaConnection): void {
    if (this.#homes.size >= LIMITS.webdavFolderHomes && !this.#homes.has(folder.toLowerCase())) this.#homes.delete(this.#homes.keys().next().value!);
    this.#homes.set(folder.toLowerCase(), server);
  }

  forget(folder: string): void {
    this.#homes.delete(folder.toLowerCase());
  }
}

/** Whether a request that failed so was never sent, or not taken: another server may be written to. */
export function isUnsent({ code, details }: BridgeError): boolean {
  if (code === 'BACKEND_TLS' || code === 'BACKEND_REDIRECT' || code === 'BACKEND_BUSY') return true;
  if (code === 'BACKEND_AUTH') return details['about'] === 'server';
  // Without a reason no connection was tried.
  return code === 'BACKEND_UNREACHABLE' && (details['reason'] === undefined || NOT_CONNECTED.has(String(details['reason'])));
}

const NOT_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);
