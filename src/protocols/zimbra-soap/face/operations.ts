import { BridgeError } from '../../../core/errors.ts';
import type { XmlElement } from '../../../platform/xml/element.ts';
import { autoCompleteGal } from './auto-complete-gal.ts';
import { autoComplete } from './auto-complete.ts';
import { checkRecurConflicts } from './check-recur-conflicts.ts';
import { getDistributionListMembers } from './get-distribution-list-members.ts';
import { getFreeBusy } from './get-free-busy.ts';
import { getWorkingHours } from './get-working-hours.ts';
import { noOp } from './no-op.ts';
import type { FaceOperation, ReadyOperation } from './operation.ts';
import { searchCalendarResources } from './search-calendar-resources.ts';
import { searchGal } from './search-gal.ts';
import { syncGal } from './sync-gal.ts';

/** What is answered, alone or inside a BatchRequest; AuthRequest and BatchRequest stand apart (endpoint.ts). */
const OPERATIONS: readonly FaceOperation[] = [
  getFreeBusy,
  getWorkingHours,
  checkRecurConflicts,
  noOp,
  searchCalendarResources,
  searchGal,
  autoCompleteGal,
  autoComplete,
  syncGal,
  getDistributionListMembers,
];

/** Reads one request. @throws BridgeError UNSUPPORTED for what is not answered here, or what the operation refuses */
export function readyOperation(request: XmlElement | undefined): ReadyOperation {
  const operation = OPERATIONS.find(({ name, ns }) => request?.name === name && request.ns === ns);
  if (request === undefined || operation === undefined) throw new BridgeError('UNSUPPORTED', `unknown document: ${request?.name.slice(0, 100) ?? 'nothing'}`);
  return operation.ready(request);
}
