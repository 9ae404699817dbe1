import { createHash } from 'node:crypto';

/**
 * MsvAvChannelBindings ([MS-NLMP] 2.2.2.1) of a TLS connection: MD5 of a gss_channel_bindings_struct that holds `tls-server-end-point` (RFC 5929 §4). With it a server with
 * Extended Protection sees that nobody ends TLS in between.
 *
 * @param certificate the server's, DER
 */
export function channelBindings(certificate: Buffer): Buffer {
  const digest = createHash(digestOf(certificate)).update(certificate).digest();
  const data = Buffer.concat([Buffer.from('tls-server-end-point:', 'latin1'), digest]);
  // Types and lengths of both addresses are 0, then the data with its length.
  const head = Buffer.alloc(20);
  head.writeUInt32LE(data.length, 16);
  return createHash('md5').update(head).update(data).digest();
}

/** Signature algorithms by the hash that RFC 5929 takes; all others, MD5's and SHA-1's above all, are hashed by SHA-256, as Windows does. */
const DIGESTS: Readonly<Record<string, string>> = {
  // sha384WithRSAEncryption, sha512WithRSAEncryption
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  // ecdsa-with-SHA384, ecdsa-with-SHA512
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  // The hashes themselves, inside the parameters of RSASSA-PSS
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
};
const RSASSA_PSS = '2a864886f70d01010a';

/** TLS has verified this certificate, so what cannot be read here is no attack but an oddity: SHA-256. */
function digestOf(certificate: Buffer): string {
  const whole = readElement(certificate);
  const signed = whole === undefined ? undefined : readElement(whole.value);
  const algorithm = signed === undefined ? undefined : readElement(signed.rest);
  const name = algorithm === undefined ? undefined : readElement(algorithm.value);
  if (name === undefined) return 'sha256';
  const id = name.value.toString('hex');
  return DIGESTS[id === RSASSA_PSS ? (pssHash(name.rest) ?? '') : id] ?? 'sha256';
}

/** RSASSA-PSS-params (RFC 4055 §3.1): `[0]` with an AlgorithmIdentifier. */
function pssHash(parameters: Buffer): string | undefined {
  const first = readElement(readElement(parameters)?.value ?? Buffer.alloc(0));
  if (first?.tag !== 0xa0) return undefined;
  return readElement(readElement(first.value)?.value ?? Buffer.alloc(0))?.value.toString('hex');
}

interface DerElement {
  readonly tag: number;
  readonly value: Buffer;
  /** What follows it. */
  readonly rest: Buffer;
}

/** The first element of these bytes (DER: definite lengths only); undefined where it reaches beyond them. */
function readElement(bytes: Buffer): DerElement | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]!;
  const more = short < 0x80 ? 0 : short & 0x7f;
  if (short === 0x80 || more > 3 || bytes.length < 2 + more) return undefined;
  const length = more === 0 ? short : bytes.readUIntBE(2, more);
  const end = 2 + more + length;
  return end > bytes.length ? undefined : { tag: bytes[0]!, value: bytes.subarray(2 + more, end), rest: bytes.subarray(end) };
}
