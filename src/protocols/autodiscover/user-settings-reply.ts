import { BridgeError } from '../../core/errors.ts';
import type { XmlElement } from '../../platform/xml/element.ts';
import type { SoapEnvelope } from '../soap/envelope.ts';
import { decodeFault } from '../soap/fault.ts';
import { AUTODISCOVER_NS } from './names.ts';
import { UNKNOWN_MAILBOX, refused, unreadable } from './refused.ts';
import type { Reply } from './reply.ts';

/** The best first: the one for outside is the one whose certificate and name are right for everybody. */
const SETTINGS = ['ExternalEwsUrl', 'InternalEwsUrl'] as const;

/**
 * Reads GetUserSettingsResponse for one user (exchange.md §4.3).
 *
 * @throws BridgeError BACKEND_FAULT (an ErrorCode, a Fault, no URL among the settings), BACKEND_BUSY, BACKEND_MALFORMED
 */
export function decodeUserSettingsReply({ body, fault }: SoapEnvelope): Reply {
  if (fault !== undefined) throw errorOf(decodeFault(fault).code);
  const response = own(own(body, 'GetUserSettingsResponseMessage')[0], 'Response')[0];
  if (response === undefined) throw unreadable('no GetUserSettingsResponse');
  const overall = textOf(response, 'ErrorCode');
  if (overall !== 'NoError') throw errorOf(overall);
  const users = own(own(response, 'UserResponses')[0], 'UserResponse');
  if (users.length !== 1) throw unreadable(`${users.length} UserResponses for one user`);
  return replyFor(users[0]!);
}

function replyFor(user: XmlElement): Reply {
  const code = textOf(user, 'ErrorCode');
  const target = textOf(user, 'RedirectTarget');
  if (code === 'RedirectAddress' && target !== '') return { kind: 'address', address: target };
  if (code === 'RedirectUrl' && target !== '') return { kind: 'url', url: target };
  if (code !== 'NoError') throw errorOf(code);
  const settings = own(own(user, 'UserSettings')[0], 'UserSetting');
  const values = SETTINGS.flatMap((name) => settings.filter((one) => textOf(one, 'Name') === name).map((one) => textOf(one, 'Value')));
  const ewsUrls = [...new Set(values)].filter((one) => one !== '');
  if (ewsUrls.length === 0) throw refused('no EWS URL for this mailbox');
  return { kind: 'found', ewsUrls };
}

function errorOf(code: string): BridgeError {
  if (code === 'InvalidUser') return refused(UNKNOWN_MAILBOX);
  if (code === 'ServerBusy') return new BridgeError('BACKEND_BUSY', 'Autodiscover is too busy', { temporary: true, details: { responseCode: code } });
  return refused(code, code === 'InternalServerError');
}

function own(parent: XmlElement | undefined, name: string): readonly XmlElement[] {
  return parent?.children.filter((one) => one.name === name && one.ns === AUTODISCOVER_NS) ?? [];
}

function textOf(parent: XmlElement, name: string): string {
  return own(parent, name)[0]?.text.trim() ?? '';
}
