/** networking/v1alpha3 WorkloadEntry: an address that counts like a pod of the namespace. */
import { fieldOf } from '../../kubernetes/json.ts';
import { misfits } from './shape.ts';
import { noTraffic, type Traffic } from './traffic.ts';
import { endpointAt, workloadEntryShape } from './values.ts';

/** Services and ServiceEntries of the namespace select it by its labels, on whichever ports they have. */
export function readWorkloadEntry(spec: unknown): Traffic {
  return {
    ...noTraffic,
    endpoints: [endpointAt(fieldOf(spec, 'address'), 'spec.address', [])],
    misfits: [...misfits(spec, workloadEntryShape, 'spec')],
  };
}
