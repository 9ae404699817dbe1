import { describe, expect, it } from 'vitest';
import { attributeNames } from '../../../../src/protocols/ldap/source/attribute-names.ts';
import { Complaints } from '../../../../src/protocols/ldap/source/complaints.ts';
import { decodeEntry } from '../../../../src/protocols/ldap/source/decode-entry.ts';
import { rawEntryOf } from '../../../../src/protocols/ldap/source/raw-entry.ts';
import { silentLogger } from '../../../../src/core/logger.ts';

const kindOf = (attributes: Record<string, string | string[]>, overrides: Record<string, string> = {}): string | undefined => {
  const found = decodeEntry(rawEntryOf({ dn: 'cn=a,dc=x', mail: 'a@x.example', ...attributes }), attributeNames(overrides), new Complaints(silentLogger, ''));
  return found === undefined ? undefined : `${found.kind}${found.isMailbox ? ' mailbox' : ''}`;
};

describe('what an entry of a directory is', () => {
  it.each([
    // Exchange's RecipientDisplayType, as Get-Recipient names them.
    ['MailboxUser', 0, 'person mailbox'],
    ['DistributionGroup', 1, 'group mailbox'],
    ['PublicFolder', 2, 'contact'],
    ['DynamicDistributionGroup', 3, 'group mailbox'],
    ['RemoteMailUser', 6, 'contact'],
    ['ConferenceRoomMailbox', 7, 'room mailbox'],
    ['EquipmentMailbox', 8, 'equipment mailbox'],
    ['RoomList', 15, 'group mailbox'],
    ['ACLableMailboxUser', 1_073_741_824, 'person mailbox'],
    ['SecurityDistributionGroup', 1_073_741_833, 'group mailbox'],
    ['ACLableRemoteMailUser', 1_073_741_830, 'contact'],
    ['SyncedMailboxUser', -2_147_483_642, 'person'],
    ['SyncedMailboxUser, without a sign', 2_147_483_654, 'person'],
    ['SyncedUDGasUDG', -2_147_483_391, 'group'],
    ['SyncedDynamicDistributionGroup', -2_147_482_874, 'group'],
    ['SyncedRemoteMailUser', -2_147_482_106, 'contact'],
    ['SyncedConferenceRoomMailbox', -2_147_481_850, 'room'],
    ['SyncedEquipmentMailbox', -2_147_481_594, 'equipment'],
    ['ACLableSyncedMailboxUser', -1_073_741_818, 'person'],
  ])('%s (%i)', (_name, value, kind) => {
    expect(kindOf({ objectClass: ['top', 'user'], msExchRecipientDisplayType: String(value) })).toBe(kind);
  });

  it.each([
    ['UserMailbox', '1', 'person mailbox'],
    ['RoomMailbox', '16', 'room mailbox'],
    ['EquipmentMailbox', '32', 'equipment mailbox'],
    ['MailContact', '64', 'contact'],
    ['MailUser', '128', 'contact'],
    ['RemoteUserMailbox', '2147483648', 'person'],
    ['RemoteRoomMailbox', '8589934592', 'room'],
    ['RemoteEquipmentMailbox', '17179869184', 'equipment'],
    ['RemoteSharedMailbox', '34359738368', 'person'],
    ['no number', 'x', 'person mailbox'],
  ])('by msExchRecipientTypeDetails: %s', (_name, value, kind) => {
    expect(kindOf({ msExchRecipientTypeDetails: value })).toBe(kind);
  });

  it.each([
    ['plain inetOrgPerson', { objectClass: ['inetOrgPerson'] }, 'person mailbox'],
    ['nothing said at all', {}, 'person mailbox'],
    ['contact', { objectClass: ['top', 'person', 'Contact'] }, 'contact'],
    ['group', { objectClass: ['group'] }, 'group mailbox'],
    ['groupOfUniqueNames', { objectClass: ['groupOfUniqueNames'] }, 'group mailbox'],
    ['posixGroup', { objectClass: ['posixGroup'] }, 'group mailbox'],
    ['a contact for a room elsewhere', { objectClass: ['contact'], msExchResourceSearchProperties: ['Room'] }, 'room'],
    ['resource meta data', { msExchResourceMetaData: ['ResourceType:Equipment'] }, 'equipment mailbox'],
    ['Zimbra: Location', { objectClass: ['zimbraAccount', 'zimbraCalendarResource'], zimbraCalResType: 'Location' }, 'room mailbox'],
    ['Zimbra: Equipment', { zimbraCalResType: 'Equipment' }, 'equipment mailbox'],
    ['Zimbra: list', { objectClass: ['zimbraDistributionList'] }, 'group mailbox'],
    ['Zimbra: alias', { objectClass: ['zimbraAlias'] }, undefined],
    ['Zimbra: mail goes to another system', { zimbraMailTransport: 'smtp:exchange.corp.example' }, 'person'],
    ['Zimbra: mail stays', { zimbraMailTransport: 'lmtp:mail.zimbra.example:7025' }, 'person mailbox'],
    ['Zimbra: calendar elsewhere', { zimbraFreebusyLocalMailboxNotActive: 'TRUE' }, 'person'],
    ['mail goes on to another address', { targetAddress: 'SMTP:a@elsewhere.example' }, 'contact'],
    ['a room whose mail goes on', { targetAddress: 'SMTP:a@elsewhere.example', msExchRecipientDisplayType: '7' }, 'room'],
    ['a remote mailbox whose mail goes on', { targetAddress: 'SMTP:a@elsewhere.example', msExchRecipientDisplayType: '-2147483642' }, 'person'],
    // A mail user of Exchange 2003, or of a shared namespace.
    ['mail goes on to its own address', { targetAddress: 'SMTP:A@x.example' }, 'contact'],
    ['mail goes on to an alias of its own', { targetAddress: 'SMTP:b@x.example', proxyAddresses: ['SMTP:a@x.example', 'smtp:b@x.example'] }, 'contact'],
    ['mail goes on to its own address, and there is a mailbox', { targetAddress: 'SMTP:A@x.example', homeMDB: 'CN=Mailbox Store,DC=x' }, 'person mailbox'],
    ['mail goes on to an alias, and there is a mailbox', { targetAddress: 'SMTP:b@x.example', proxyAddresses: ['smtp:b@x.example'], msExchRecipientDisplayType: '1073741824' }, 'person mailbox'],
    ['the mail user of later ones', { targetAddress: 'SMTP:A@x.example', msExchRecipientDisplayType: '6' }, 'contact'],
    ['no usable address', { mail: 'nobody' }, undefined],
  ])('%s', (_what, attributes, kind) => {
    expect(kindOf(attributes)).toBe(kind);
  });

  it('or what the attribute says that the configuration names', () => {
    expect(kindOf({ employeeType: 'Room' }, { kind: 'employeeType' })).toBe('room mailbox');
    expect(kindOf({ employeeType: 'CONTACT', objectClass: ['group'] }, { kind: 'employeeType' })).toBe('contact');
    expect(kindOf({ employeeType: 'clerk' }, { kind: 'employeeType' })).toBe('person mailbox');
  });
});
