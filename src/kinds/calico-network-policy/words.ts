import { isMap } from '../../kubernetes/json.ts';
import type { LabelSelector } from '../../kubernetes/label-selector.ts';
import type { PeerVerdict } from '../../reach/border.ts';
import { longestSelector } from '../../reach/dialects/calico/selector.ts';
import type { PolicyWords } from '../policy-words.ts';

const namespaceName = 'projectcalico.org/name';
const equals = (key: string, value: string): string => `${key} == ${JSON.stringify(value)}`;
const operators: Readonly<Record<string, string>> = { In: 'in', NotIn: 'not in' };

/** A selector of meta/v1 in Calico's language; `all()` where it asks for nothing. */
function selectorOf({ matchLabels, matchExpressions }: LabelSelector): string {
  const labels = Object.entries(isMap(matchLabels) ? matchLabels : {}).map(([key, value]) =>
    equals(key, String(value)),
  );
  const others = (matchExpressions ?? []).map(({ key, operator, values }) => {
    const list = (values ?? []).map((value) => JSON.stringify(value)).join(', ');
    if (operators[operator] !== undefined) return `${key} ${operators[operator]} {${list}}`;
    return operator === 'Exists' ? `has(${key})` : `!has(${key})`;
  });
  return [...labels, ...others].join(' && ') || 'all()';
}

/** A selector that matches what both match; undefined where the CRDs of newer versions would not take a text of its length. */
export function bothSelectors(one: string, other: string): string | undefined {
  const isEverything = ['', 'all()'].includes(one.trim());
  const text = isEverything ? other : `(${one}) && ${other}`;
  return text.length <= longestSelector ? text : undefined;
}

export const calicoWords: PolicyWords & Required<Pick<PolicyWords, 'equals'>> = {
  namespaceLabel: (label) => label,
  namespaceName,
  equals,
  labels: 'namespaceSelector',
  joining: ' with &&',
  peers: { ingress: 'source', egress: 'destination' },
  ownNamespace: 'selector: all()',
  namespaceSelector: 'a namespaceSelector',
  podsOf: (namespace, selector) =>
    `namespaceSelector: ${equals(namespaceName, namespace)} with selector: ${selectorOf(selector)}`,
  podSelector: (selector) => `selector: ${selectorOf(selector)}`,
  selectPods: 'select pods with selector and namespaceSelector instead',
  selectsPods: 'pods are selected with selector and namespaceSelector',
  block: (ranges) => `nets ${ranges}`,
  except: () => 'notNets',
  of: (verdict) => (isOfBothFamilies(verdict) ? besideIpv4 : undefined),
  internet: 'nets 0.0.0.0/0 with notNets',
  removePeer: 'remove the rule: without a source or a destination it allows every pod and every address',
  ranges: () => 'nets',
  addresses: (family) => `nets ${family === 4 ? '0.0.0.0/0' : '::/0'} with notNets`,
};

/** Where no nets are written, IPv6 is open too, whatever is left out of IPv4. */
function isOfBothFamilies({ path, fix }: PeerVerdict): boolean {
  if (!path.endsWith('.notNets') || typeof fix === 'string' || fix.id !== 'leave-out-ranges') return false;
  return fix.ranges.length > 0 && fix.ranges.every(({ family }) => family === 4);
}

const besideIpv4: PolicyWords = { ...calicoWords, except: () => 'notNets beside nets 0.0.0.0/0' };
