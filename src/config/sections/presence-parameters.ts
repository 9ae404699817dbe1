import type * as z from 'zod';
import { LIMITS } from '../../core/limits.ts';
import type { PresenceParameters } from '../presence-config.ts';
import { duration, formatDuration } from '../fields/duration.ts';
import { Mistake, field, kindOf, oneOf } from '../fields/field.ts';
import { host, listenAddress } from '../fields/host.ts';
import { integer } from '../fields/integer.ts';
import { section } from '../fields/section.ts';

/** `presence.parameters:`, under the original's names and with its bounds (presence.md §A.6 to A.10). */
export function presenceParameters() {
  const { ewsStatusFrequency, notificationPort, exchangeTimeoutMs, exchangeQueue, exchangeThreads } = LIMITS;
  return section({
    ewsStatusFrequency: integer(ewsStatusFrequency).default(ewsStatusFrequency.default),
    notificationPort: integer(notificationPort).default(notificationPort.default),
    notificationHost: host({ scheme: 'the bridge makes it', port: 'notificationPort' }).optional(),
    notificationListen: listenAddress().optional(),
    notificationScheme: oneOf(['http', 'https']).default('http'),
    calendarSpread: calendarSpread().default(LIMITS.calendarSpread.default),
    exchangeTimeout: duration(exchangeTimeoutMs).prefault(formatDuration(exchangeTimeoutMs.default)),
    exchangeQueue: integer(exchangeQueue).default(exchangeQueue.default),
    exchangeThreads: integer(exchangeThreads).default(exchangeThreads.default),
    apply: oneOf(['gradual', 'now']).default('gradual'),
  }).prefault({});
}

export function settledParameters({ exchangeTimeout: exchangeTimeoutMs, ...rest }: z.output<ReturnType<typeof presenceParameters>>): PresenceParameters {
  return { ...rest, exchangeTimeoutMs };
}

/** Seconds, or `auto`. */
function calendarSpread() {
  const { min, max } = LIMITS.calendarSpread;
  const right = `a whole number of seconds from ${min} to ${max}, or auto (a hundredth of the users)`;
  return field(right, (value): number | 'auto' => {
    if (value === 'auto') return value;
    if (typeof value !== 'number') throw new Mistake(`should be ${right}${typeof value === 'string' ? '' : `, not ${kindOf(value)}`}`);
    if (!Number.isInteger(value) || value < min || value > max) throw new Mistake(`should be ${right}`);
    return value;
  });
}
