import { isMap } from '../../kubernetes/json.ts';
import type { LabelSelector } from '../../kubernetes/label-selector.ts';
import type { PolicyWords } from '../policy-words.ts';

const namespaceName = 'k8s:io.kubernetes.pod.namespace';

/** One selector says it all: the namespace is a label among others. */
function selectorOf({ matchLabels, ...others }: LabelSelector, more: Readonly<Record<string, string>> = {}): string {
  const labels = { ...more, ...(isMap(matchLabels) && matchLabels) };
  return JSON.stringify({ ...(Object.keys(labels).length > 0 && { matchLabels: labels }), ...others });
}

const peers = { ingress: 'fromEndpoints', egress: 'toEndpoints' } as const;

export const ciliumWords: PolicyWords = {
  namespaceLabel: (label) => `k8s:io.cilium.k8s.namespace.labels.${label}`,
  namespaceName,
  peers,
  ownNamespace: '{}',
  namespaceSelector: 'a selector',
  podsOf: (namespace, selector, direction) =>
    `${peers[direction]} ${selectorOf(selector, { [namespaceName]: namespace })}`,
  podSelector: (selector) => `the selector ${selectorOf(selector)}`,
  selectPods: 'select pods with fromEndpoints or toEndpoints instead',
  selectsPods: 'pods are selected with toEndpoints',
  block: (ranges) => `CIDR ${ranges}`,
  except: (direction) => `except of ${direction === 'ingress' ? 'from' : 'to'}CIDRSet`,
  internet: 'toCIDRSet with cidr: 0.0.0.0/0 and except',
  removePeer: 'remove the peer, or the rule if this is its only peer',
  ranges: (direction) => `${direction === 'ingress' ? 'from' : 'to'}CIDRSet`,
  addresses: (family, direction) =>
    `${direction === 'ingress' ? 'from' : 'to'}CIDRSet with cidr: ${family === 4 ? '0.0.0.0/0' : '::/0'} and except`,
};
