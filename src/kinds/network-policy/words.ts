import { namespaceNameLabel } from '../../kubernetes/objects.ts';
import type { PolicyWords } from '../policy-words.ts';

const podSelector: PolicyWords['podSelector'] = (selector) => `podSelector: ${JSON.stringify(selector)}`;

export const networkPolicyWords: PolicyWords = {
  namespaceLabel: (label) => label,
  namespaceName: namespaceNameLabel,
  peers: { ingress: 'from', egress: 'to' },
  ownNamespace: 'podSelector: {}',
  namespaceSelector: 'a namespaceSelector',
  podsOf: (namespace, selector) =>
    `namespaceSelector ${namespaceNameLabel}: ${namespace} with podSelector ${JSON.stringify(selector)}`,
  podSelector,
  selectPods: 'select pods with podSelector and namespaceSelector instead',
  selectsPods: 'pods are selected with podSelector and namespaceSelector',
  block: (ranges) => `ipBlock ${ranges}`,
  except: () => 'except',
  internet: 'ipBlock 0.0.0.0/0 with except',
  removePeer: 'remove the peer, or the whole rule if it has no other peer: a rule without peers allows all traffic',
  ranges: () => 'ipBlock',
  addresses: (family) => `ipBlock ${family === 4 ? '0.0.0.0/0' : '::/0'} with except`,
};
