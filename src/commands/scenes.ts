/** The story that `demo` tells: people of two tenants, an unaffiliated user, and what they try. */

export interface Person {
  readonly name: string;
  readonly groups: readonly string[];
}

/** One kubectl command. */
export interface Scene {
  /** What it shows, in one sentence. */
  readonly tells: string;
  readonly person: Person;
  /** Arguments of kubectl, as a person would type them in the project's folder. */
  readonly command: readonly string[];
  readonly ends: 'admitted' | 'refused';
}

const alice: Person = { name: 'alice', groups: ['acme-developers'] };
const bob: Person = { name: 'bob', groups: ['beta-developers'] };
const carol: Person = { name: 'carol', groups: [] };

export const people: readonly Person[] = [alice, bob, carol];

const kubectl = (line: string) => line.split(' ');
const apply = (file: string) => kubectl(`apply -f manifests/examples/objects/${file}.yaml`);

const scene = (ends: Scene['ends']) => (tells: string, person: Person, command: Scene['command']) => ({
  ends,
  tells,
  person,
  command,
});
const admitted = scene('admitted');
const refused = scene('refused');

export const scenes: readonly Scene[] = [
  admitted('A namespace gets the label of the tenant whose member creates it', alice, apply('namespace-acme-web')),
  admitted(
    'It is isolated from the start: Bulkhead creates these policies in it',
    alice,
    kubectl('get networkpolicy -n acme-web -o name'),
  ),
  admitted('Another tenant creates its own namespace', bob, apply('namespace-beta-data')),
  refused('It does not get a name that is reserved for another tenant', bob, apply('namespace-acme-billing')),
  refused(
    'It cannot take over a namespace by its label',
    bob,
    kubectl('label namespace acme-web bulkhead.dev/tenant=beta --overwrite'),
  ),
  refused('An unaffiliated user gets no namespace', carol, apply('namespace-acme-billing')),
  admitted('A pod gets the label of its namespace', alice, apply('pod-web')),
  refused('A pod may not leave the pod network', alice, apply('pod-on-the-node')),
  admitted('Inside its border a tenant writes any policy', alice, apply('policy-within-acme')),
  refused(
    'A policy that allows traffic from other tenants is rejected, with the reason and the fix',
    alice,
    apply('policy-open'),
  ),
  admitted('A gate that both tenants declare allows traffic', alice, apply('policy-to-beta-database')),
  refused('On its ports only', alice, apply('policy-to-beta-cache')),
  admitted('Addresses outside the cluster can be granted', alice, apply('policy-to-a-partner')),
  refused('The internet is not outside the cluster', alice, apply('policy-to-the-internet')),
  refused(
    'Tenants cannot delete managed objects',
    alice,
    kubectl('delete networkpolicy bulkhead-default-deny -n acme-web'),
  ),
];
