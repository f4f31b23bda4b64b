import { hostPorts as check } from '../checks/host-ports.ts';
import { anyOf, imagesOf, noContainer } from './expressions.ts';
import { podCreations, type Rule } from './rule.ts';

const opens = 'one.?ports.orValue([]).exists(port, port.?hostPort.orValue(0) != 0 || port.?hostIP.orValue("") != "")';

/** A pod of a tenant opens no port on its node. All of new pods: ephemeral containers come later, and by another way. */
export const hostPorts: Rule = {
  check,
  kind: 'Pod',
  on: [podCreations],
  admits: () => anyOf('object.spec.?hostNetwork.orValue(false)', noContainer(opens)),
  images: imagesOf(opens),
};
