import type { XmlText } from '../../platform/xml/write.ts';
import type { Handout } from './handout.ts';
import { group, leaf } from './leaf.ts';
import type { SettingsRequest } from './settings-request.ts';
import { NO_REDIRECT } from './soap-answer.ts';
import type { SoapMessage } from './soap-answer.ts';
import { DOMAIN_SETTINGS, commonSetting } from './user-setting.ts';

/**
 * The answer to GetDomainSettings: one DomainResponse for every domain asked for, by position. Elements stand in the order of Exchange's contract,
 * where RedirectTarget is last (in a UserResponse it comes before the settings).
 *
 * @param isServed in the order of `identities`: whether this client may ask about mailboxes there
 */
export function encodeGetDomainSettingsResponse({ identities, settings }: SettingsRequest, isServed: readonly boolean[], handout: Handout): SoapMessage {
  const errors = group('DomainSettingErrors', settings.filter((name) => !DOMAIN_SETTINGS.has(name)).map(settingError));
  const values = group('DomainSettings', settings.filter((name) => DOMAIN_SETTINGS.has(name)).map((name) => domainSetting(name, commonSetting(name, handout)!)));
  const responses = identities.map((domain, index) =>
    isServed[index] === true
      ? group('DomainResponse', [leaf('ErrorCode', 'NoError'), leaf('ErrorMessage', 'No error.'), errors, values, NO_REDIRECT])
      : group('DomainResponse', [leaf('ErrorCode', 'InvalidDomain'), leaf('ErrorMessage', `Invalid domain: '${domain}'`), group('DomainSettingErrors', []), group('DomainSettings', []), NO_REDIRECT]),
  );
  return { name: 'GetDomainSettingsResponse', content: [leaf('ErrorCode', 'NoError'), leaf('ErrorMessage', ''), group('DomainResponses', responses)] };
}

function domainSetting(name: string, value: string): XmlText {
  return group('DomainSetting', [leaf('Name', name), leaf('Value', value)], ' i:type="DomainStringSetting"');
}

function settingError(name: string): XmlText {
  return group('DomainSettingError', [leaf('ErrorCode', 'InvalidSetting'), leaf('ErrorMessage', 'The setting is not valid.'), leaf('SettingName', name)]);
}
