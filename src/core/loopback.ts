/** Whether a host is this machine whatever its name server says: 127.0.0.0/8, ::1, localhost; in lower case, with or without brackets. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || LOOPBACK_V4.test(host);
}

/** Whole, and as URLs write it: `127.example.com` is somebody's name. */
const LOOPBACK_V4 = /^127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
