import { labelKey, labelName, objectName } from './names.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** `spec.pods` of a Settings document. */
export interface PodsDocument {
  readonly sysctls?: readonly string[];
  readonly runtimeClasses?: readonly string[];
  readonly csiDrivers?: readonly { readonly driver: string; readonly tenants?: readonly string[] }[];
  readonly tolerations?: readonly {
    readonly key: string;
    readonly value?: string;
    readonly tenants: readonly string[];
  }[];
  readonly devices?: readonly {
    readonly resource?: string;
    readonly deviceClass?: string;
    readonly tenants: readonly string[];
  }[];
}

/** The API server takes slashes for dots as well. There is one way to write it here. */
const networkSysctl = {
  type: 'string',
  title: 'a kernel setting of the network such as net.core.somaxconn',
  pattern: '^net\\.[-a-z0-9_.]+$',
  maxLength: 253,
} as const satisfies StructuralSchema;

/** FlexVolume drivers are called VENDOR/DRIVER. */
const driverName = {
  type: 'string',
  title: 'the name of a driver such as secrets-store.csi.k8s.io',
  pattern: '^[A-Za-z0-9][-A-Za-z0-9_.]*(/[A-Za-z0-9][-A-Za-z0-9_.]*)?$',
  maxLength: 253,
} as const satisfies StructuralSchema;

const extendedResource = {
  type: 'string',
  title: 'an extended resource such as nvidia.com/gpu',
  pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$',
  maxLength: 317,
} as const satisfies StructuralSchema;

export const podsSchema: StructuralSchema = {
  type: 'object',
  description: 'What pods of tenants may ask of their node.',
  properties: {
    sysctls: {
      type: 'array',
      items: networkSysctl,
      description: 'Kernel settings of the network that pods may have, beside those that Kubernetes calls safe.',
    },
    runtimeClasses: {
      type: 'array',
      items: objectName,
      description: 'Runtime classes that pods may ask for; every one when left out, none when empty.',
    },
    csiDrivers: {
      type: 'array',
      description:
        'CSI and FlexVolume drivers that volumes of pods may name. secrets-store.csi.k8s.io and csi.cert-manager.io when left out, none when empty.',
      items: {
        type: 'object',
        required: ['driver'],
        properties: {
          driver: { ...driverName, description: 'As the volume names it. It may connect to whatever the volume says.' },
          tenants: { type: 'array', items: labelName, description: 'Who may use it; every tenant when left out.' },
        },
      },
    },
    tolerations: {
      type: 'array',
      description: 'Keys of taints that only some tenants may tolerate. Keys that are not listed are free.',
      items: {
        type: 'object',
        required: ['key', 'tenants'],
        properties: {
          key: { ...labelKey, description: 'The key of the taint. It is reserved from then on, with every value.' },
          value: {
            type: 'string',
            title: 'a label value',
            pattern: '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$',
            maxLength: 63,
            description: 'The one value that these tenants may tolerate; every value when left out.',
          },
          tenants: {
            type: 'array',
            items: labelName,
            description: 'Who may tolerate it; the platform alone when empty.',
          },
        },
      },
    },
    devices: {
      type: 'array',
      description: 'Devices that only some tenants may use. What is not listed is free.',
      items: {
        type: 'object',
        required: ['tenants'],
        properties: {
          resource: { ...extendedResource, description: 'An extended resource, as containers ask for it.' },
          deviceClass: {
            ...objectName,
            description: 'A DeviceClass, in place of resource. Its extendedResourceName takes an entry of its own.',
          },
          tenants: { type: 'array', items: labelName, description: 'Who may use it; the platform alone when empty.' },
        },
      },
    },
  },
};
