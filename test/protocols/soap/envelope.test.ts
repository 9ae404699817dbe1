import { describe, expect, it } from 'vitest';
import { el, writeXml } from '../../../src/platform/xml/write.ts';
import { readXml, XmlError } from '../../../src/platform/xml/read.ts';
import { decodeEnvelope, encodeEnvelope } from '../../../src/protocols/soap/envelope.ts';
import { decodeFault } from '../../../src/protocols/soap/fault.ts';

const NS11 = 'http://schemas.xmlsoap.org/soap/envelope/';
const NS12 = 'http://www.w3.org/2003/05/soap-envelope';

describe('reading an envelope', () => {
  it.each([
    ['1.1', NS11],
    ['1.2', NS12],
  ])('tells version %s by its namespace, whatever the prefix', async (version, ns) => {
    const read = decodeEnvelope(await readXml(`<S:Envelope xmlns:S="${ns}"><S:Header><a/></S:Header><S:Body><b/></S:Body></S:Envelope>`));
    expect(read.version).toBe(version);
    expect(read.header?.children.map((one) => one.name)).toEqual(['a']);
    expect(read.body.children.map((one) => one.name)).toEqual(['b']);
    expect(read.fault).toBeUndefined();
  });

  it.each([
    ['an element of another name', `<Body xmlns="${NS11}"/>`],
    ['another namespace', '<Envelope xmlns="urn:x"><Body/></Envelope>'],
    ['no namespace', '<Envelope><Body/></Envelope>'],
    ['no Body', `<Envelope xmlns="${NS11}"><Header/></Envelope>`],
    ['two Bodies', `<Envelope xmlns="${NS11}"><Body/><Body/></Envelope>`],
    ['a Body of the other version', `<Envelope xmlns="${NS11}"><Body xmlns="${NS12}"/></Envelope>`],
  ])('refuses %s', async (_name, text) => {
    const root = await readXml(text);
    expect(() => decodeEnvelope(root)).toThrow(XmlError);
  });

  it('takes no Fault but its own for one', async () => {
    const read = decodeEnvelope(await readXml(`<Envelope xmlns="${NS11}"><Body><Fault xmlns="urn:payload"/></Body></Envelope>`));
    expect(read.fault).toBeUndefined();
  });

  it('reads the faults of both versions', async () => {
    const of = async (text: string): Promise<ReturnType<typeof decodeFault>> => decodeFault(decodeEnvelope(await readXml(text)).fault!);
    expect(await of(`<s:Envelope xmlns:s="${NS11}"><s:Body><s:Fault><faultcode xmlns:a="urn:a">a:ErrorServerBusy</faultcode><faultstring>later</faultstring><detail><x/></detail></s:Fault></s:Body></s:Envelope>`)).toMatchObject({
      code: 'ErrorServerBusy',
      reason: 'later',
      detail: { name: 'detail' },
    });
    // zimbra.md: Zimbra's faults.
    expect(await of(`<soap:Envelope xmlns:soap="${NS12}"><soap:Body><soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code><soap:Reason><soap:Text>no</soap:Text></soap:Reason><soap:Detail><Error xmlns="urn:zimbra"><Code>account.AUTH_FAILED</Code></Error></soap:Detail></soap:Fault></soap:Body></soap:Envelope>`)).toMatchObject({
      code: 'Sender',
      reason: 'no',
      detail: { name: 'Detail' },
    });
    expect(await of(`<Envelope xmlns="${NS11}"><Body><Fault/></Body></Envelope>`)).toEqual({ code: '', reason: '' });
  });
});

describe('writing an envelope', () => {
  it('has a Header only where there is something in it', async () => {
    const bare = await readXml(writeXml(encodeEnvelope('1.2', { body: [el('x')] })));
    expect(bare).toMatchObject({ name: 'Envelope', ns: NS12 });
    expect(bare.children.map((one) => one.name)).toEqual(['Body']);
    const full = await readXml(writeXml(encodeEnvelope('1.1', { header: [el('h')], body: [] })));
    expect(full.ns).toBe(NS11);
    expect(full.children.map((one) => one.name)).toEqual(['Header', 'Body']);
  });
});
