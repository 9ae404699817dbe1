import type { XmlText } from '../../platform/xml/write.ts';
import type { Handout } from './handout.ts';
import { group, leaf } from './leaf.ts';
import type { Person } from './served-person.ts';
import type { SettingsRequest } from './settings-request.ts';
import { NO_REDIRECT } from './soap-answer.ts';
import type { SoapMessage } from './soap-answer.ts';
import { PERSONAL_SETTINGS, commonSetting, userSettingProblem } from './user-setting.ts';

/**
 * The answer to GetUserSettings (exchange.md §4.3): one UserResponse for everyone asked for, by position. A setting that we lack is an error beside the
 * others. An Exchange that asks for ExternalEwsUrl and ExternalEwsVersion gives up where either is missing.
 *
 * @param people in the order of `identities`; undefined: not one that this client may ask about
 */
export function encodeGetUserSettingsResponse({ identities, settings }: SettingsRequest, people: readonly (Person | undefined)[], handout: Handout): SoapMessage {
  // The same for everybody, so made once.
  const common = settings.flatMap((name) => {
    const value = commonSetting(name, handout);
    return value === undefined ? [] : [userSetting(name, value)];
  });
  const personal = settings.filter((name) => Object.hasOwn(PERSONAL_SETTINGS, name));
  const errors = group(
    'UserSettingErrors',
    settings.filter((name) => commonSetting(name, handout) === undefined && !Object.hasOwn(PERSONAL_SETTINGS, name)).map(settingError),
  );
  const responses = identities.map((identity, index) => {
    const person = people[index];
    if (person === undefined) return userResponse('InvalidUser', `Invalid user: '${identity}'`, group('UserSettingErrors', []), []);
    return userResponse('NoError', 'No error.', errors, [...personal.map((name) => userSetting(name, PERSONAL_SETTINGS[name]!(person))), ...common]);
  });
  return { name: 'GetUserSettingsResponse', content: [leaf('ErrorCode', 'NoError'), leaf('ErrorMessage', ''), group('UserResponses', responses)] };
}

function userResponse(code: string, message: string, errors: XmlText, settings: readonly XmlText[]): XmlText {
  return group('UserResponse', [leaf('ErrorCode', code), leaf('ErrorMessage', message), NO_REDIRECT, errors, group('UserSettings', settings)]);
}

function userSetting(name: string, value: string): XmlText {
  return group('UserSetting', [leaf('Name', name), leaf('Value', value)], ' i:type="StringSetting"');
}

function settingError(name: string): XmlText {
  const code = userSettingProblem(name);
  const message = code === 'InvalidSetting' ? 'The setting is not valid.' : 'The setting is not available.';
  return group('UserSettingError', [leaf('ErrorCode', code), leaf('ErrorMessage', message), leaf('SettingName', name)]);
}
