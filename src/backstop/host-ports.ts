import { hostPorts as check } from '../checks/host-ports.ts';
import { anyOf, noContainer } from './expressions.ts';
import { podCreations, type Rule } from './rule.ts';

const opened = 'port.?hostPort.orValue(0) != 0 || port.?hostIP.orValue("") != ""';

/** A pod of a tenant opens no port on its node. The whole check: ephemeral containers come later, and by another way. */
export const hostPorts: Rule = {
  check,
  kind: 'Pod',
  on: [podCreations],
  admits: (_, __, spared) =>
    anyOf(
      'object.spec.?hostNetwork.orValue(false)',
      noContainer(`one.?ports.orValue([]).exists(port, ${opened})`, spared),
    ),
};
