import type { StructuralSchema } from './structural-schema.ts';

/** As written; {@link ../parse-subject.ts} decides what makes sense together. */
export interface SubjectDocument {
  readonly kind: 'User' | 'Group' | 'ServiceAccount';
  readonly name: string;
  readonly namespace?: string;
}

/** A subject as in RoleBindings (rbac.authorization.k8s.io), without the apiGroup that follows from the kind. */
export const subjectSchema: StructuralSchema = {
  type: 'object',
  required: ['kind', 'name'],
  properties: {
    kind: { type: 'string', enum: ['User', 'Group', 'ServiceAccount'], description: 'User, Group or ServiceAccount.' },
    name: {
      type: 'string',
      title: 'a name of 1 to 256 characters',
      minLength: 1,
      maxLength: 256,
      description: 'The exact name, as the API server sees it. Never a pattern.',
    },
    namespace: {
      type: 'string',
      title: 'the name of a namespace',
      maxLength: 63,
      description: 'The namespace of a ServiceAccount; left out for the other kinds.',
    },
  },
};

/** What is known by its own name. */
export const accountSchema: StructuralSchema = {
  ...subjectSchema,
  properties: {
    ...subjectSchema.properties,
    kind: { type: 'string', enum: ['User', 'ServiceAccount'], description: 'User or ServiceAccount.' },
  },
};
