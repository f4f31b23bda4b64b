/** networking/v1alpha3 WorkloadEntry and WorkloadGroup: an address that counts like a pod of the namespace. */
import { fieldOf } from '../../kubernetes/json.ts';
import { misfits, type Shape } from './shape.ts';
import { noTraffic, type Traffic } from './traffic.ts';
import { endpointAt, textOf, workloadEntryShape } from './values.ts';

export const workloadGroupShape: Shape = { metadata: 'anything', template: workloadEntryShape, probe: 'anything' };

/** Services and ServiceEntries of the namespace select it by its labels, on whichever ports they have. */
export function readWorkloadEntry(spec: unknown): Traffic {
  return {
    ...noTraffic,
    endpoints: [endpointAt(fieldOf(spec, 'address'), 'spec.address', [])],
    misfits: [...misfits(spec, workloadEntryShape, 'spec')],
  };
}

/** A template for entries that the control plane writes, with the address of the machine. */
export function readWorkloadGroup(spec: unknown): Traffic {
  const address = textOf(fieldOf(fieldOf(spec, 'template'), 'address'));
  return {
    ...noTraffic,
    endpoints: address === '' ? [] : [endpointAt(address, 'spec.template.address', [])],
    misfits: [...misfits(spec, workloadGroupShape, 'spec')],
  };
}
