import { readFileSync } from 'node:fs';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';

/** What the figures were measured on, and how busy it already was. */
export function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const load = loadavg()[0]!.toFixed(2);
  return `${model}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB, ${platform()} ${release()}, Node ${process.version}, load before the run ${load}`;
}

/** How busy the machine is now, with what is measured. */
export function describeLoad(): string {
  return `load ${loadavg().map((one) => one.toFixed(2)).join(' ')}`;
}

/** Processor time that a process has used, in ms, from /proc (Linux, 10 ms steps); undefined elsewhere. */
export function cpuTimeMs(pid: number): number | undefined {
  if (platform() !== 'linux') return undefined;
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
