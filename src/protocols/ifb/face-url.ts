import type { FaceQuestion } from './face-question.ts';

/**
 * Where the same answer is found again: the URL property. It is made of our public URL and of what was understood, never of what was sent: a query may hold somebody's token.
 *
 * @param publicUrl without a trailing slash
 */
export function faceUrl(publicUrl: string, { form, address, window, as }: FaceQuestion): string {
  const { start, end } = window;
  const name = encodeURIComponent(address).replace(/%40/g, '@').replace(/%2B/g, '+');
  if (form === 'pubcal') return `${publicUrl}/service/pubcal/freebusy.ifb?acct=${name}&s=${start}&e=${end}`;
  if (form === 'freebusy') return `${publicUrl}/freebusy/${name}.ifb?start=${start}&end=${end}`;
  return `${publicUrl}/home/${name}/?fmt=ifb${as === 'event' ? '&fbfmt=event' : ''}&start=${start}&end=${end}`;
}
