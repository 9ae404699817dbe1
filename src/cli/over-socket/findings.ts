import type { ProbeFinding } from '../../core/probe-finding.ts';
import type { ReplicationFindings } from '../replicating.ts';
import { isRecord, readEach } from './record.ts';

const OUTCOMES: readonly ProbeFinding['outcome'][] = ['ok', 'warn', 'fail'];

/** What `check` found, as it came over the socket, which carries it as it is; undefined where it is none. */
export function decodeFindings(data: unknown): ReplicationFindings | undefined {
  if (!isRecord(data) || typeof data['name'] !== 'string') return undefined;
  const findings = readEach(data['findings'], decodeFinding);
  return findings === undefined ? undefined : { name: data['name'], findings };
}

function decodeFinding(data: unknown): ProbeFinding | undefined {
  if (!isRecord(data)) return undefined;
  const { step, text, advice } = data;
  const outcome = OUTCOMES.find((one) => one === data['outcome']);
  if (outcome === undefined || typeof step !== 'string' || typeof text !== 'string') return undefined;
  return { step, outcome, text, ...(typeof advice === 'string' ? { advice } : {}) };
}
