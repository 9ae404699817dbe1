import { describe, expect, it, onTestFinished } from 'vitest';
import { ewsQueryBackEnd, systemFor } from './back-ends.ts';
import { startBridge } from './bridge-process.ts';
import { JUDGE, JUDGE_CLIENT, MEETINGS, NOTHING_KNOWN, TRUTH, digitsOfJson } from './every-kind.ts';
import { askJson, askOwa } from './raw-http.ts';

const ANNA = 'anna@corp.example';
/** The shortest that is anything: an answer is too old for the next question. */
const HARDLY = '1ms';

describe('the real command, whose only system is killed after its first answer', () => {
  it.each([
    ['gives faces that say its age what it knew, the others nothing', {}, true, NOTHING_KNOWN],
    ['gives it to all where the site says so', { staleFor: '1h' }, true, TRUTH],
    ['gives it to nobody where nothing is kept', { cacheFor: '0s' }, false, NOTHING_KNOWN],
  ])('%s', async (_name, keys, isToldStale, owa) => {
    const backEnd = await ewsQueryBackEnd({ [ANNA]: MEETINGS });
    const bridge = await startBridge({ systems: { ews: systemFor('exchange-ews', backEnd, { cacheFor: HARDLY, ...keys }) }, clients: [{ ...JUDGE_CLIENT, mayAsk: ['ews'] }] });
    onTestFinished(async () => {
      await bridge.stop();
    });
    const [before] = (await askJson(bridge.url, JUDGE, [ANNA])).results;
    expect([digitsOfJson(before), before!.stale]).toEqual([TRUTH, false]);
    await backEnd.close();
    const [after] = (await askJson(bridge.url, JUDGE, [ANNA])).results;
    if (isToldStale) expect(after).toEqual({ ...before, stale: true });
    else expect(after).toMatchObject({ error: { code: 'BACKEND_UNREACHABLE' } });
    expect((await askOwa(bridge.url, JUDGE, [ANNA])).digits[ANNA]).toBe(owa);
  });
});
