/** The sentence that a refusal gives as its witness, read back into somebody who can be tried. */

import { type Labels, nameLabel, type Party } from './evaluator.ts';
import { type Address, readAddress } from './evaluator-addresses.ts';
import { unmentioned } from './universe.ts';

export interface Witness {
  readonly party: Party;
  /** For an address, the spelling in which the policy covers it. */
  readonly spelling?: Address;
}

/**
 * - `a pod with the label app=x in a namespace without the label T, with the labels a=b, c=d`
 * - `the address 64:ff9b::a00:1, which stands for 10.0.0.1`
 * - `a pod of the cluster other in the same mesh`
 * Undefined for any other sentence, and for one that leaves labels out.
 */
export function readWitness(sentence: string): Witness | undefined {
  const address = /^the address ([^,]+?)(?:, which stands for (.+))?$/.exec(sentence);
  if (address !== null) {
    const [, written = '', plain = written] = address;
    const [spelling, arrives] = [readAddress(written), readAddress(plain)];
    return spelling && arrives && { party: { kind: 'address', address: arrives }, spelling };
  }
  const [, cluster] = /^a pod of the cluster (\S+) in the same mesh$/.exec(sentence) ?? [];
  if (cluster !== undefined) return { party: { kind: 'pod', namespace: new Map(), pod: new Map(), cluster } };
  const pod =
    /^(?:a pod(?: with the labels? (.*))? in )?a namespace(?: without the label (\S+?))?(?:,? with the labels? (.*))?$/.exec(
      sentence,
    );
  if (pod === null || / and \d+ more/.test(sentence)) return undefined;
  const [, ofPod, absent, ofNamespace] = pod;
  const namespace = new Map([[nameLabel, unmentioned], ...labelsIn(ofNamespace)]);
  if (absent !== undefined && namespace.has(absent)) return undefined;
  return { party: { kind: 'pod', namespace, pod: labelsIn(ofPod) } };
}

function labelsIn(text: string | undefined): Labels {
  return new Map(
    text?.split(', ').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    }),
  );
}
