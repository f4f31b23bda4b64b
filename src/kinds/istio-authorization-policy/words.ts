import type { PolicyWords } from '../policy-words.ts';

/** It knows namespaces by their names alone. Of most fixes only these parts are said of it: ranges, and how a source is removed. */
export const istioWords: PolicyWords = {
  namespaceLabel: (label) => label,
  namespaceName: 'namespaces',
  peers: { ingress: 'from', egress: 'from' },
  ownNamespace: 'a source with namespaces',
  namespaceSelector: 'a source with namespaces',
  podsOf: (namespace) => `namespaces: [${JSON.stringify(namespace)}]`,
  podSelector: () => 'its service accounts in principals',
  selectPods: 'name callers with namespaces or principals instead',
  selectsPods: 'callers are named with namespaces or principals',
  block: (ranges) => `ipBlocks ${ranges}`,
  except: () => 'notIpBlocks',
  internet: 'ipBlocks: ["0.0.0.0/0"] with notIpBlocks',
  removePeer: 'remove the value, or the source if it is its only one',
  ranges: () => 'ipBlocks',
  addresses: (family) => `ipBlocks: ["${family === 4 ? '0.0.0.0/0' : '::/0'}"] with notIpBlocks`,
};
