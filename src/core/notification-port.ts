/**
 * PORT. Where servers call us back: HTTP over TCP (EWS push), HTTPU over UDP (WebDAV). Whoever subscribes asks for a path of its own; nothing that comes is believed, and what comes to
 * any other path costs nothing.
 */
export interface NotificationPort {
  /**
   * Takes a path that nobody can guess. `onCall` is given the body (TCP) or the datagram's head as text (UDP), at most LIMITS.presenceNotificationBytes, and gives the answer's body (TCP).
   *
   * @param token the last part of a URL of a former life, taken again where nobody has it: a server that still has the subscription calls that
   * @returns the whole URL for the server (`http://bridge.corp.example:50020/<token>`), and what gives the path back
   */
  open(onCall: (text: string, from: string) => string | undefined, token?: string): { readonly url: string; close(): void };
  /** What an unknown path is answered (TCP), so that orphans of a former life end; undefined: 404. */
  readonly scheme: 'http' | 'https' | 'httpu';
  /** Changes with every rebinding: what was subscribed with another has to move. */
  readonly generation: number;
  /** Calls when `generation` has changed. @returns what stops that */
  onMoved(listener: () => void): () => void;
}
