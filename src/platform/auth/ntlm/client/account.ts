/** Who signs in, in NTLM's parts. */
export interface NtlmAccount {
  /** Empty: the server finds it by the name, which may be an address. */
  readonly domain: string;
  readonly username: string;
  readonly password: string;
}

/** `DOMAIN\user` in its parts; an address (UPN) and a bare name have no domain. */
export function ntlmAccount(username: string, password: string): NtlmAccount {
  const at = username.indexOf('\\');
  return { domain: at < 0 ? '' : username.slice(0, at), username: username.slice(at + 1), password };
}
