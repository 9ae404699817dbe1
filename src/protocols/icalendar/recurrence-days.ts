import { DAY_MS } from '../../core/clock.ts';
import type { RecurrenceRule } from './recurrence.ts';

/** Midnight of the first day of the week that holds `at`. */
export function startOfWeek(at: number, weekStart: number): number {
  const day = Math.floor(at / DAY_MS) * DAY_MS;
  return day - ((new Date(day).getUTCDay() - weekStart + 7) % 7) * DAY_MS;
}

/**
 * The days of one period of a DAILY, WEEKLY, MONTHLY or YEARLY rule on which there are instances, as midnights in order. Expanding and
 * limiting come to the same when every day of the period is looked at (RFC 5545 §3.3.10, the table of BYxxx parts); what a rule leaves
 * open is taken from `start`.
 */
export function daysOfPeriod(rule: RecurrenceRule, start: number, period: number, spend: (steps: number) => void): readonly number[] {
  const filled = withDefaults(rule, start);
  const days: number[] = [];
  const end = endOfPeriod(rule, period);
  spend((end - period) / DAY_MS);
  for (let day = period; day < end; day += DAY_MS) if (dayMatches(filled, day)) days.push(day);
  return days;
}

function endOfPeriod({ frequency }: RecurrenceRule, period: number): number {
  const date = new Date(period);
  switch (frequency) {
    case 'YEARLY':
      return Date.UTC(date.getUTCFullYear() + 1, 0, 1);
    case 'MONTHLY':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
    case 'WEEKLY':
      return period + 7 * DAY_MS;
    case 'DAILY':
    case 'HOURLY':
    case 'MINUTELY':
    case 'SECONDLY':
      return period + DAY_MS;
  }
}

function withDefaults(rule: RecurrenceRule, start: number): RecurrenceRule {
  if (rule.frequency === 'DAILY' || rule.byDay.length + rule.byMonthDay.length + rule.byYearDay.length > 0) return rule;
  const date = new Date(start);
  if (rule.frequency === 'WEEKLY' || rule.byWeekNumber.length > 0) return { ...rule, byDay: [{ day: date.getUTCDay() }] };
  const byMonthDay = [date.getUTCDate()];
  return rule.frequency === 'YEARLY' && rule.byMonth.length === 0 ? { ...rule, byMonthDay, byMonth: [date.getUTCMonth() + 1] } : { ...rule, byMonthDay };
}

/** Whether a day (its midnight) is one that the rule's BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY and BYDAY allow. */
export function dayMatches(rule: RecurrenceRule, day: number): boolean {
  const date = new Date(day);
  const year = date.getUTCFullYear();
  const month = date.getUTCMonth();
  if (rule.byMonth.length > 0 && !rule.byMonth.includes(month + 1)) return false;
  if (rule.byMonthDay.length > 0 && !among(rule.byMonthDay, date.getUTCDate(), new Date(Date.UTC(year, month + 1, 0)).getUTCDate())) return false;
  if (rule.byYearDay.length > 0) {
    const first = Date.UTC(year, 0, 1);
    if (!among(rule.byYearDay, (day - first) / DAY_MS + 1, (Date.UTC(year + 1, 0, 1) - first) / DAY_MS)) return false;
  }
  if (rule.byWeekNumber.length > 0) {
    const { number, weeks } = weekOf(day, rule.weekStart);
    if (!among(rule.byWeekNumber, number, weeks)) return false;
  }
  return rule.byDay.length === 0 || weekdayMatches(rule, day, date.getUTCDay());
}

/** Of `length` things this is the one with that number: 1 is the first, −1 the last. */
function among(wanted: readonly number[], number: number, length: number): boolean {
  return wanted.includes(number) || wanted.includes(number - length - 1);
}

/** An ordinal counts in the month, or in the year where a YEARLY rule has no BYMONTH; elsewhere it means nothing. */
function weekdayMatches({ byDay, frequency, byMonth, byWeekNumber }: RecurrenceRule, day: number, weekday: number): boolean {
  const same = byDay.filter((one) => one.day === weekday);
  if (same.length === 0) return false;
  const counts = frequency === 'MONTHLY' || (frequency === 'YEARLY' && byWeekNumber.length === 0);
  if (!counts || same.some((one) => one.ordinal === undefined)) return true;
  const date = new Date(day);
  const inYear = frequency === 'YEARLY' && byMonth.length === 0;
  const first = inYear ? Date.UTC(date.getUTCFullYear(), 0, 1) : Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const end = inYear ? Date.UTC(date.getUTCFullYear() + 1, 0, 1) : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  const fromStart = Math.floor((day - first) / (7 * DAY_MS)) + 1;
  const fromEnd = -(Math.floor((end - DAY_MS - day) / (7 * DAY_MS)) + 1);
  return same.some((one) => one.ordinal === fromStart || one.ordinal === fromEnd);
}

/** A day's week as ISO 8601 counts it, weeks beginning where the rule says: week 1 is the first with four days in its year. */
function weekOf(day: number, weekStart: number): { readonly number: number; readonly weeks: number } {
  const week = startOfWeek(day, weekStart);
  const year = new Date(week + 3 * DAY_MS).getUTCFullYear();
  const first = firstWeek(year, weekStart);
  return { number: Math.round((week - first) / (7 * DAY_MS)) + 1, weeks: Math.round((firstWeek(year + 1, weekStart) - first) / (7 * DAY_MS)) };
}

/** Week 1 is the one that holds the fourth of January. */
function firstWeek(year: number, weekStart: number): number {
  return startOfWeek(Date.UTC(year, 0, 4), weekStart);
}
