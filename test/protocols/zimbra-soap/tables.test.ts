import { describe, expect, it } from 'vitest';
import { BridgeError, ERROR_CODES } from '../../../src/core/errors.ts';
import { BUSY_TYPES } from '../../../src/freebusy/busy-type.ts';
import { child, childText, descend } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { decodeEnvelope } from '../../../src/protocols/soap/envelope.ts';
import { SLOT_OF_BUSY_TYPE, busyTypeOfSlot } from '../../../src/protocols/zimbra-soap/busy-type.ts';
import { encodeFault, faultOf } from '../../../src/protocols/zimbra-soap/faults.ts';

describe('slot elements', () => {
  it.each([
    ['f', 'free'],
    ['t', 'tentative'],
    ['b', 'busy'],
    ['u', 'oof'],
    ['n', 'no-data'],
    ['x', 'no-data'],
    ['toString', 'no-data'],
  ])('%s means %s (zimbra.md §2.2)', (name, busyType) => {
    expect(busyTypeOfSlot(name)).toBe(busyType);
  });

  it('are there for every busy type but working elsewhere, which is gone by then', () => {
    expect(BUSY_TYPES.flatMap((type) => (type === 'working-elsewhere' ? [] : SLOT_OF_BUSY_TYPE[type])).join('')).toBe('fntbu');
  });
});

describe('faults', () => {
  it.each([
    ['INVALID_WINDOW', 'service.INVALID_REQUEST', 'Sender'],
    ['TOO_MANY_MAILBOXES', 'service.INVALID_REQUEST', 'Sender'],
    ['BODY_TOO_LARGE', 'service.INVALID_REQUEST', 'Sender'],
    ['AUTH_REQUIRED', 'service.AUTH_REQUIRED', 'Sender'],
    ['AUTH_EXPIRED', 'service.AUTH_EXPIRED', 'Sender'],
    ['AUTH_FAILED', 'account.AUTH_FAILED', 'Sender'],
    ['ACCESS_DENIED', 'service.PERM_DENIED', 'Sender'],
    ['UNSUPPORTED', 'service.UNKNOWN_DOCUMENT', 'Sender'],
    ['DEADLINE', 'service.TEMPORARILY_UNAVAILABLE', 'Receiver'],
    ['INTERNAL', 'service.FAILURE', 'Receiver'],
  ] as const)('%s is %s, the fault of the %s (zimbra.md §1.5)', (code, fault, role) => {
    expect(faultOf(new BridgeError(code, 'why'))).toMatchObject({ code: fault, role });
  });

  it('are well-formed for every error in both SOAP versions, with the code where Zimbra has it', async () => {
    for (const code of ERROR_CODES) {
      const fault = faultOf(new BridgeError(code, 'a <b> & "c"'));
      const modern = decodeEnvelope(await readXml(encodeFault('1.2', fault)));
      expect(modern.version).toBe('1.2');
      expect(childText(descend(modern.fault, 'Detail', 'Error'), 'Code')).toBe(fault.code);
      expect(descend(modern.fault, 'Reason', 'Text')?.text).toContain('a <b> & "c"');
      expect(child(descend(modern.fault, 'Detail'), 'Error')?.ns).toBe('urn:zimbra');
      const old = decodeEnvelope(await readXml(encodeFault('1.1', fault)));
      expect(old.version).toBe('1.1');
      expect(childText(descend(old.fault, 'detail', 'Error'), 'Code')).toBe(fault.code);
      expect(childText(old.fault, 'faultcode')).toMatch(/^soap:(Client|Server)$/);
    }
  });

  it("carry Zimbra's prefix on invalid requests", () => {
    expect(faultOf(new BridgeError('INVALID_WINDOW', 'End time must be after Start time')).reason).toBe('invalid request: End time must be after Start time');
  });
});
