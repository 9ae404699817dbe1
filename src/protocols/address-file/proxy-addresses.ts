/** What the values of proxyAddresses (Exchange's EmailAddresses) say. */
export interface ProxyAddresses {
  /** `SMTP:`, in capitals. */
  readonly primary: readonly string[];
  /** `smtp:`, or none. */
  readonly others: readonly string[];
  /** `X500:`: legacyExchangeDNs it had once. */
  readonly formerDns: readonly string[];
}

/** Sorts proxy addresses by their prefixes; those of other kinds (SIP, X400, EUM, notes) name no mailbox of ours. */
export function sortProxyAddresses(values: readonly string[]): ProxyAddresses {
  const primary: string[] = [];
  const others: string[] = [];
  const formerDns: string[] = [];
  for (const value of values) {
    const [, prefix = '', rest = ''] = /^\s*(?:([A-Za-z0-9]+):)?(.*)$/s.exec(value) ?? [];
    if (prefix === 'SMTP') primary.push(rest);
    else if (prefix === '' || prefix.toLowerCase() === 'smtp') others.push(rest);
    else if (prefix.toLowerCase() === 'x500') formerDns.push(rest);
  }
  return { primary, others, formerDns };
}
