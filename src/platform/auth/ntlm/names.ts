/** First eight bytes of every message ([MS-NLMP] 2.2.1). */
export const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1');

export const MESSAGE_TYPE = { negotiate: 1, challenge: 2, authenticate: 3 } as const;

/** NEGOTIATE flags ([MS-NLMP] 2.2.2.5), as far as those who sign and seal nothing read or set them. */
export const FLAG = {
  unicode: 0x0000_0001,
  oem: 0x0000_0002,
  requestTarget: 0x0000_0004,
  sign: 0x0000_0010,
  seal: 0x0000_0020,
  ntlm: 0x0000_0200,
  anonymous: 0x0000_0800,
  alwaysSign: 0x0000_8000,
  targetTypeServer: 0x0002_0000,
  extendedSessionSecurity: 0x0008_0000,
  targetInfo: 0x0080_0000,
  version: 0x0200_0000,
  bits128: 0x2000_0000,
  keyExchange: 0x4000_0000,
  bits56: 0x8000_0000,
} as const;

/** AvId of an AV_PAIR ([MS-NLMP] 2.2.2.1). */
export const AV = { eol: 0, nbComputerName: 1, nbDomainName: 2, flags: 6, timestamp: 7, targetName: 9, channelBindings: 10 } as const;

/** MsvAvFlags: the AUTHENTICATE message carries a MIC. */
export const AV_FLAG_MIC = 0x2;
