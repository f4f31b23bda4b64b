/** The story that `demo` tells: people of two tenants, a stranger, and what they try. */

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

const apply = (file: string) => ['apply', '-f', `manifests/examples/objects/${file}.yaml`];

export const scenes: readonly Scene[] = [
  {
    tells: 'A namespace gets the label of its tenant from who creates it',
    person: alice,
    command: apply('namespace-acme-web'),
    ends: 'admitted',
  },
  {
    tells: 'It is closed from the start: Bulkhead puts these policies in it',
    person: alice,
    command: ['get', 'networkpolicy', '-n', 'acme-web', '-o', 'name'],
    ends: 'admitted',
  },
  {
    tells: 'Another tenant creates a namespace of its own',
    person: bob,
    command: apply('namespace-beta-data'),
    ends: 'admitted',
  },
  {
    tells: 'It does not get a name that is reserved to somebody else',
    person: bob,
    command: apply('namespace-acme-billing'),
    ends: 'refused',
  },
  {
    tells: 'It cannot take over a namespace by its label',
    person: bob,
    command: ['label', 'namespace', 'acme-web', 'bulkhead.dev/tenant=beta', '--overwrite'],
    ends: 'refused',
  },
  {
    tells: 'Who belongs to no tenant gets no namespace',
    person: carol,
    command: apply('namespace-acme-billing'),
    ends: 'refused',
  },
  { tells: 'A pod gets the label of its namespace', person: alice, command: apply('pod-web'), ends: 'admitted' },
  {
    tells: 'A pod may not leave the pod network',
    person: alice,
    command: apply('pod-on-the-node'),
    ends: 'refused',
  },
  {
    tells: 'Inside its border a tenant writes what it likes',
    person: alice,
    command: apply('policy-within-acme'),
    ends: 'admitted',
  },
  {
    tells: 'A policy that would let others in is refused, with the reason and the way to mend it',
    person: alice,
    command: apply('policy-open'),
    ends: 'refused',
  },
  {
    tells: 'A gate that both tenants declare is open',
    person: alice,
    command: apply('policy-to-beta-database'),
    ends: 'admitted',
  },
  { tells: 'On its ports only', person: alice, command: apply('policy-to-beta-cache'), ends: 'refused' },
  {
    tells: 'Addresses outside the cluster can be granted',
    person: alice,
    command: apply('policy-to-a-partner'),
    ends: 'admitted',
  },
  {
    tells: 'The internet is not outside the cluster',
    person: alice,
    command: apply('policy-to-the-internet'),
    ends: 'refused',
  },
  {
    tells: 'What Bulkhead put in place stays',
    person: alice,
    command: ['delete', 'networkpolicy', 'bulkhead-default-deny', '-n', 'acme-web'],
    ends: 'refused',
  },
];
