import { autodiscoverEndpoint } from '../../../src/protocols/autodiscover/endpoint.ts';
import type { XmlElement } from '../../../src/platform/xml/element.ts';
import { readXml } from '../../../src/platform/xml/read.ts';
import { ask } from '../../flows/raw-http.ts';
import type { RawAnswer } from '../../flows/raw-http.ts';
import { ASKER_BASIC, faceUnderTest } from '../face-under-test.ts';
import type { FaceOptions, FaceUnderTest } from '../face-under-test.ts';

export const PUBLIC_URL = 'https://fb.zimbra.example';
export const EWS_URL = 'https://fb.zimbra.example/EWS/Exchange.asmx';
export const OUTLOOK_REQUEST = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006';
export const OUTLOOK_RESPONSE = 'http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a';
export const AUTODISCOVER = 'http://schemas.microsoft.com/exchange/2010/Autodiscover';

export async function openFace(options: FaceOptions = {}, publicUrl = PUBLIC_URL): Promise<FaceUnderTest> {
  return faceUnderTest((services) => autodiscoverEndpoint({ ...services, publicUrl: () => publicUrl }), options);
}

export const SIGNED = { authorization: ASKER_BASIC, 'content-type': 'text/xml; charset=utf-8' } as const;

export async function post(face: FaceUnderTest, path: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<RawAnswer> {
  return ask(face.url, path, { method: 'POST', headers: { ...SIGNED, ...headers }, body });
}

export async function postPox(face: FaceUnderTest, body: string | Buffer, headers: Record<string, string> = {}): Promise<RawAnswer> {
  return post(face, '/autodiscover/autodiscover.xml', body, headers);
}

export async function postSoap(face: FaceUnderTest, body: string | Buffer, headers: Record<string, string> = {}): Promise<RawAnswer> {
  return post(face, '/autodiscover/autodiscover.svc', body, headers);
}

export function poxRequest(subject: string, schema = OUTLOOK_RESPONSE, ns = OUTLOOK_REQUEST): string {
  return `<Autodiscover xmlns="${ns}"><Request>${subject}<AcceptableResponseSchema>${schema}</AcceptableResponseSchema></Request></Autodiscover>`;
}

export function mailbox(address: string): string {
  return `<EMailAddress>${address}</EMailAddress>`;
}

export function soapRequest(message: string, header = '<a:RequestedServerVersion>Exchange2010</a:RequestedServerVersion>', envelope = 'http://schemas.xmlsoap.org/soap/envelope/'): string {
  return `<s:Envelope xmlns:s="${envelope}" xmlns:a="${AUTODISCOVER}"><s:Header>${header}</s:Header><s:Body>${message}</s:Body></s:Envelope>`;
}

export function userSettings(users: readonly string[], settings: readonly string[]): string {
  return `<a:GetUserSettingsRequestMessage><a:Request><a:Users>${users.map((one) => `<a:User><a:Mailbox>${one}</a:Mailbox></a:User>`).join('')}</a:Users><a:RequestedSettings>${settings
    .map((one) => `<a:Setting>${one}</a:Setting>`)
    .join('')}</a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage>`;
}

/** A document as rows of path, namespace, text (of leaves), in document order. */
export async function outline(document: string): Promise<readonly (readonly [path: string, ns: string, text: string])[]> {
  const rows: [string, string, string][] = [];
  const walk = (element: XmlElement, above: string): void => {
    const path = above === '' ? element.name : `${above}/${element.name}`;
    rows.push([path, element.ns, element.children.length === 0 ? element.text : '']);
    for (const one of element.children) walk(one, path);
  };
  walk(await readXml(document), '');
  return rows;
}

/** Texts of all elements of that name, in document order. */
export async function texts(document: string, name: string): Promise<readonly string[]> {
  return (await outline(document)).filter(([path]) => path.split('/').at(-1) === name).map(([, , text]) => text);
}
