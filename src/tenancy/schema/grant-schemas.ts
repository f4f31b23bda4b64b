/** `platform.namespaceWriters` and `platform.provisioners`: who writes on namespaces without being the platform. */
import { labelName, labelOrAnnotationKey } from './names.ts';
import type { StructuralSchema } from './structural-schema.ts';
import { type SubjectDocument, subjectSchema } from './subject-schema.ts';

export interface GrantDocuments {
  readonly namespaceWriters?: readonly NamespaceWriterDocument[];
  readonly provisioners?: readonly ProvisionerDocument[];
}

export interface NamespaceWriterDocument {
  readonly subjects: readonly SubjectDocument[];
  readonly keys: readonly string[];
  readonly finalizers?: readonly string[];
  readonly namespaces?: readonly string[];
}

export interface ProvisionerDocument {
  readonly name: string;
  readonly subjects: readonly SubjectDocument[];
  readonly keys: readonly string[];
  readonly tenantFrom?: { readonly annotation: string };
  readonly ownerReferences?: boolean;
  readonly undecided?: 'refuse' | 'platform';
}

const grantedKeys: StructuralSchema = {
  type: 'array',
  description:
    'Keys of labels and annotations: whole keys, or every key of a domain, as DOMAIN/. Keys of class identity only whole.',
  items: {
    type: 'string',
    title: 'a label or annotation key, or a domain with a slash at its end',
    pattern: '^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$',
    minLength: 1,
    maxLength: 317,
  },
};

const subjects = { type: 'array', items: subjectSchema } as const satisfies StructuralSchema;
const compared = 'The accounts. Compared exactly. None may be a member of a tenant';

export const grantSchemas: Readonly<Record<keyof GrantDocuments, StructuralSchema>> = {
  namespaceWriters: {
    type: 'array',
    description:
      'Accounts that may write certain labels and annotations on namespaces, such as the UID ranges of OpenShift.',
    items: {
      type: 'object',
      required: ['subjects', 'keys'],
      properties: {
        subjects: {
          ...subjects,
          description: `${compared}. A platform identity gains nothing: its keys count as listed in an audit.`,
        },
        keys: grantedKeys,
        finalizers: {
          type: 'array',
          items: { type: 'string', title: 'the name of a finalizer', minLength: 1, maxLength: 317 },
          description: 'Finalizers that they may add and remove.',
        },
        namespaces: { type: 'array', items: labelName, description: 'Where they may. Default: on every namespace.' },
      },
    },
  },
  provisioners: {
    type: 'array',
    description:
      'Accounts that create namespaces for people, such as project requests of OpenShift. Never GitOps tools, which write what a tenant commits.',
    items: {
      type: 'object',
      required: ['name', 'subjects', 'keys'],
      properties: {
        name: {
          ...labelName,
          description: 'The mark bulkhead.dev/provisioner of the namespaces that they create. Do not reuse it.',
        },
        subjects: { ...subjects, description: `${compared}, or a platform identity.` },
        keys: grantedKeys,
        tenantFrom: {
          type: 'object',
          required: ['annotation'],
          description:
            'How the owner is found. Left out, the name of the namespace must be reserved, and the provisioner must not take names from tenants.',
          properties: {
            annotation: {
              ...labelOrAnnotationKey,
              description: 'In which the provisioner itself writes the user name of the requester. Frozen afterwards.',
            },
          },
        },
        ownerReferences: { type: 'boolean', description: 'Whether they may set the owner references.' },
        undecided: {
          type: 'string',
          enum: ['refuse', 'platform'],
          description:
            'What becomes of a namespace without a known tenant. platform makes it one of the platform, with a warning, unless its name is reserved.',
        },
      },
    },
  },
};
