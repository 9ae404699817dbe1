import type { Problem } from '../problems.ts';
import { quoted } from '../key-path.ts';
import { mapOf, textOf } from './outline.ts';
import type { Outline } from './outline.ts';

/** Every issuer once; clients' tokens name one, by claims and one mark of a certificate; certificates need an authority that vouches for them. */
export function checkIssuers({ top, clients }: Outline): readonly Problem[] {
  const problems: Problem[] = [];
  const listed: readonly unknown[] = Array.isArray(top['issuers']) ? top['issuers'] : [];
  const issuers = listed.map((one) => textOf(mapOf(one)?.['issuer']) ?? '');
  issuers.forEach((issuer, index) => {
    if (issuer !== '' && !/^https:\/\/[^/]/i.test(issuer) && mapOf(listed[index])?.['jwksUri'] === undefined) problems.push({ path: ['issuers', index, 'jwksUri'], message: 'is missing; an issuer that is no https URL has no metadata that says where its keys are' });
    if (issuer !== '' && issuers.indexOf(issuer) < index) problems.push({ path: ['issuers', index, 'issuer'], message: 'is there already; every issuer once' });
  });
  for (const { index, keys } of clients) {
    const token = mapOf(keys['token']);
    const issuer = textOf(token?.['issuer']);
    if (issuer !== undefined && issuer !== '' && !issuers.includes(issuer)) {
      problems.push({ path: ['clients', index, 'token', 'issuer'], message: `${quoted(issuer)} is none of issuers; ${issuers.length === 0 ? 'there is none' : `there are: ${issuers.join(', ')}`}` });
    }
    const claims = mapOf(token?.['claims']);
    if (claims !== undefined && Object.keys(claims).length === 0) {
      problems.push({ path: ['clients', index, 'token', 'claims'], message: 'is empty; without a claim every token of this issuer would be this client; write e.g. { azp: CLIENT-ID }' });
    }
    problems.push(...certificate(index, keys['certificate'], mapOf(top['tls'])?.['clientCa'] !== undefined, top['behindProxy'] === true));
  }
  return problems;
}

function certificate(index: number, value: unknown, hasAuthority: boolean, isBehindProxy: boolean): readonly Problem[] {
  const marks = mapOf(value);
  if (marks === undefined) return [];
  const path = ['clients', index, 'certificate'] as const;
  const given = ['fingerprint', 'commonName', 'alternativeName'].filter((key) => marks[key] !== undefined);
  if (isBehindProxy) return [{ path, message: 'does not go with behindProxy: true: the handshake ends at the proxy' }];
  if (given.length !== 1) return [{ path, message: 'should have one of fingerprint, commonName and alternativeName' }];
  return hasAuthority ? [] : [{ path, message: 'needs tls.clientCa: the authorities that vouch for clients (PEM)' }];
}
