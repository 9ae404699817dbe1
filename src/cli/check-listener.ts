import { X509Certificate } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { DAY_MS } from '../core/clock.ts';
import type { Instant } from '../core/clock.ts';
import type { ProbeFinding } from '../core/probe-finding.ts';
import { CERTIFICATE_WARNING_DAYS } from '../platform/network-probe.ts';
import { missingAutodiscoverNames, namesHost, namesOf } from './certificate-names.ts';
import type { Checked } from './checked.ts';

/** The bridge's own certificate, as its clients will see it; nothing where it has none. */
export function checkListener(config: Config, now: Instant): readonly Checked[] {
  if (config.tls === undefined) return [];
  const certificate = new X509Certificate(config.tls.certificate);
  const findings = [endOf(certificate, now), ...ofPublicUrl(certificate, config), ...ofAutodiscover(certificate, config)];
  return [{ kind: 'listener', name: 'https', findings }];
}

function endOf(certificate: X509Certificate, now: Instant): ProbeFinding {
  const daysLeft = Math.floor((Date.parse(certificate.validTo) - now) / DAY_MS);
  const names = namesOf(certificate);
  const advice = 'renew it, then `reload`';
  if (daysLeft < 0) return { step: 'certificate', outcome: 'fail', text: `of ${names} ended ${days(-daysLeft)} ago`, advice };
  const text = `of ${names} ends in ${days(daysLeft)}`;
  return daysLeft < CERTIFICATE_WARNING_DAYS ? { step: 'certificate', outcome: 'warn', text, advice } : { step: 'certificate', outcome: 'ok', text };
}

function ofPublicUrl(certificate: X509Certificate, { publicUrl }: Config): readonly ProbeFinding[] {
  const host = publicUrl === undefined ? undefined : new URL(publicUrl).hostname;
  if (host === undefined || namesHost(certificate, host)) return [];
  const advice = 'Exchange, Zimbra and Outlook will refuse it; get a certificate with that name, or change publicUrl';
  return [{ step: 'publicUrl', outcome: 'warn', text: `the certificate names ${namesOf(certificate)} but not ${host}`, advice }];
}

/** A hint only: whether this Exchange is a 2007 or 2010, which finds Autodiscover by DNS alone, is not said anywhere. */
function ofAutodiscover(certificate: X509Certificate, { systems, clients }: Config): readonly ProbeFinding[] {
  const ofExchange = clients.filter(({ from }) => systems.some(({ name, type }) => name === from && (type === 'exchange-ews' || type === 'exchange-webdav')));
  const domains = systems.filter(({ name }) => ofExchange.some(({ from, mayAsk }) => name !== from && mayAsk.includes(name))).flatMap((system) => system.domains);
  const missing = missingAutodiscoverNames(certificate, [...new Set(domains)]);
  return missing.length === 0 ? [] : [{ step: 'Autodiscover', outcome: 'ok', text: `an Exchange 2007 or 2010 would want ${missing.join(', ')} in it too` }];
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`;
}
