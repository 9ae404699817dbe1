import { DOTTED_VERSION, EWS_SCHEMAS } from './claimed-version.ts';
import type { Handout } from './handout.ts';
import type { Person } from './served-person.ts';

/** Settings that are the same for everybody; also those of a domain, as far as domains have them. */
export function commonSetting(name: string, handout: Handout): string | undefined {
  switch (name) {
    case 'ExternalEwsUrl':
    case 'InternalEwsUrl':
    case 'InteropExternalEwsUrl':
    case 'EwsPartnerUrl':
      return handout.ewsUrl;
    case 'ExternalEwsVersion':
    case 'InteropExternalEwsVersion':
    case 'CasVersion':
      return DOTTED_VERSION;
    case 'EwsSupportedSchemas':
      return EWS_SCHEMAS;
    case 'UserDeploymentId':
      return handout.deploymentId;
    default:
      return undefined;
  }
}

/** Settings that echo whom was asked for. */
export const PERSONAL_SETTINGS: Readonly<Record<string, (person: Person) => string>> = {
  AutoDiscoverSMTPAddress: ({ address }) => address,
  UserDisplayName: ({ address }) => address,
  UserDN: ({ legacyDn }) => legacyDn,
};

/** Exchange's own enumeration, without what we serve: a setting of this list is not available, any other is invalid. Names as the EWS Managed API has them. */
const KNOWN_BUT_NOT_SERVED = new Set(
  `InternalMailboxServer InternalRpcClientServer InternalMailboxServerDN InternalEcpUrl InternalEcpVoicemailUrl InternalEcpEmailSubscriptionsUrl
   InternalEcpTextMessagingUrl InternalEcpDeliveryReportUrl InternalEcpRetentionPolicyTagsUrl InternalEcpPublishingUrl InternalEcpPhotoUrl InternalEcpConnectUrl
   InternalEcpTeamMailboxUrl InternalEcpTeamMailboxCreatingUrl InternalEcpTeamMailboxEditingUrl InternalEcpTeamMailboxHidingUrl InternalEcpExtensionInstallationUrl
   InternalEmwsUrl InternalOABUrl InternalPhotosUrl InternalUMUrl InternalWebClientUrls MailboxDN PublicFolderServer ActiveDirectoryServer ExternalMailboxServer
   ExternalMailboxServerRequiresSSL ExternalMailboxServerAuthenticationMethods EcpVoicemailUrlFragment EcpEmailSubscriptionsUrlFragment EcpTextMessagingUrlFragment
   EcpDeliveryReportUrlFragment EcpRetentionPolicyTagsUrlFragment EcpPublishingUrlFragment EcpPhotoUrlFragment EcpConnectUrlFragment EcpTeamMailboxUrlFragment
   EcpTeamMailboxCreatingUrlFragment EcpTeamMailboxEditingUrlFragment EcpExtensionInstallationUrlFragment ExternalEcpUrl ExternalEcpVoicemailUrl
   ExternalEcpEmailSubscriptionsUrl ExternalEcpTextMessagingUrl ExternalEcpDeliveryReportUrl ExternalEcpRetentionPolicyTagsUrl ExternalEcpPublishingUrl ExternalEcpPhotoUrl
   ExternalEcpConnectUrl ExternalEcpTeamMailboxUrl ExternalEcpTeamMailboxCreatingUrl ExternalEcpTeamMailboxEditingUrl ExternalEcpTeamMailboxHidingUrl
   ExternalEcpExtensionInstallationUrl ExternalEmwsUrl ExternalOABUrl ExternalPhotosUrl ExternalUMUrl ExternalWebClientUrls CrossOrganizationSharingEnabled AlternateMailboxes
   InternalPop3Connections ExternalPop3Connections InternalImap4Connections ExternalImap4Connections InternalSmtpConnections ExternalSmtpConnections
   InternalServerExclusiveConnect MobileMailboxPolicy DocumentSharingLocations UserMSOnline InternalMailboxServerAuthenticationMethods MailboxVersion SPMySiteHostURL
   SiteMailboxCreationURL InternalRpcHttpServer InternalRpcHttpConnectivityRequiresSsl InternalRpcHttpAuthenticationMethod ExternalServerExclusiveConnect ExchangeRpcUrl
   ShowGalAsDefaultView PublicFolderInformation RedirectUrl CertPrincipalName GroupingInformation MapiHttpEnabled InternalOutlookServiceUrl ExternalOutlookServiceUrl`.split(/\s+/),
);

/** Why a user's setting is not in the answer. */
export function userSettingProblem(name: string): 'SettingIsNotAvailable' | 'InvalidSetting' {
  return KNOWN_BUT_NOT_SERVED.has(name) ? 'SettingIsNotAvailable' : 'InvalidSetting';
}

/** The two settings that a domain has (DomainSettingName of the EWS Managed API). */
export const DOMAIN_SETTINGS: ReadonlySet<string> = new Set(['ExternalEwsUrl', 'ExternalEwsVersion']);
