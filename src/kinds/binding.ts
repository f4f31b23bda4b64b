import type { OtherKind } from './kind.ts';

/** The labels and annotations of a Binding are written to the pod that it binds (ADM-02). */
export const binding: OtherKind = {
  family: 'pod',
  kind: 'Binding',
  group: '',
  versions: ['v1'],
  plural: 'bindings',
  scope: 'Namespaced',
  writers: 'platform',
  reviews: [
    // The same Binding has two addresses.
    { phase: 'validate', resources: ['pods/binding', 'bindings'], operations: ['CREATE'], filtered: true },
  ],
  rights: [],
  judgedAs: { kind: 'Pod', subresource: 'binding' },
};
