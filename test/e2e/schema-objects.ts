/**
 * Random objects of a kind, made from the OpenAPI v3 document that an API server serves: any field of the schema, most of
 * them left out, some of them `null`. A few hints, by definition and field, say what the schema does not, so that a good share
 * is valid; what is still invalid, `mended` takes out by what the API server complains about.
 */
import fc from 'fast-check';
import { isMap, type JsonMap } from '../../src/kubernetes/json.ts';
import { rawNumber } from './exact-json.ts';

/** The part of a schema object that Kubernetes uses (OpenAPI 3.0, with `x-` fields left out). */
export interface Schema {
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

export interface OpenApi {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const word = fc.constantFrom('a', 'b', 'web', 'x-1');
const hostileKey = fc.constantFrom('__proto__', '__proto__', 'constructor', 'a~b', '~1', 'a/b~1c', '0', '', 'é"\\');
/** Valid keys of labels; the first ones are inherited by every object of JavaScript. */
const labelKey = fc.constantFrom(
  ...['constructor', 'toString', 'hasOwnProperty', 'app', '0', 'a_b.c-d', 'example.com/a.b'],
  'bulkhead.dev/tenant',
);
const labelValue = fc.constantFrom('', 'a', 'x.Y_z-1', 'beta', 'gamma', 'constructor');
const labels = mapOf(labelKey, labelValue);
const requirement = fc.record(
  { key: labelKey, operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'), values: fc.array(labelValue) },
  { requiredKeys: ['key', 'operator'] },
);
const port = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(0, -1, 65_536));
const quantity = fc.constantFrom('1', '100m', '1.5Gi', '0', '1e3', '0.0001', 2, 0.5);
const cidr = fc.constantFrom('203.0.113.0/24', '10.0.0.0/8', '0.0.0.0/0', '2001:db8::/32', '203.0.113.7/24');
const never = fc.constant(null);
const resources = mapOf(fc.constantFrom('cpu', 'memory', 'example.com/gpu', 'ephemeral-storage'), quantity);
const date = fc.constantFrom('2027-01-31T00:00:00Z', '2027-01-31T01:00:00+01:00');

/** DEFINITION.FIELD -> what to write there. `null` where the API server takes nothing from whoever creates the object. */
const hints: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  'ObjectMeta.annotations': mapOf(labelKey, fc.constantFrom('', '"', 'é\n', '{"a":1}', '~1')),
  'ObjectMeta.deletionGracePeriodSeconds': never,
  'ObjectMeta.deletionTimestamp': never,
  'ObjectMeta.finalizers': fc.uniqueArray(fc.constantFrom('example.com/a', 'example.com/b')),
  'ObjectMeta.labels': fc.option(labels),
  'ObjectMeta.managedFields': never,
  'ObjectMeta.resourceVersion': never,
  'OwnerReference.apiVersion': fc.constant('example.com/v1'),
  'OwnerReference.kind': fc.constantFrom('Thing', 'Other'),
  'OwnerReference.uid': fc.uuid(),
  'LabelSelector.matchLabels': labels,
  'LabelSelector.matchExpressions': fc.array(requirement, { maxLength: 2 }),
  'IPBlock.cidr': cidr,
  'IPBlock.except': fc.subarray(['203.0.113.128/25', '203.0.113.7/32', '10.1.0.0/16']),
  'NetworkPolicyPort.port': fc.oneof(port, fc.constantFrom('http', 'UPPER')),
  'NetworkPolicyPort.endPort': fc.option(port),
  'NetworkPolicySpec.policyTypes': fc.subarray(['Ingress', 'Egress']),
  'PodSpec.ephemeralContainers': never,
  'PodSpec.nodeName': fc.constantFrom('', 'node-1'),
  'PodSpec.nodeSelector': labels,
  'PodSpec.overhead': never,
  'PodSpec.priority': never,
  'PodSpec.priorityClassName': fc.constantFrom('', 'system-cluster-critical'),
  'PodSpec.runtimeClassName': never,
  'PodSpec.dnsPolicy': fc.constantFrom('ClusterFirst', 'ClusterFirstWithHostNet', 'Default'),
  'PodSpec.schedulingGroup': never,
  'Container.name': word,
  'Volume.name': word,
  'Container.image': fc.constantFrom('registry.example/web:1', 'a'),
  'ContainerPort.containerPort': port,
  'ContainerPort.hostPort': fc.option(port),
  'CSIVolumeSource.driver': fc.constantFrom('csi.cert-manager.io', 'secrets-store.csi.k8s.io', 'x'),
  'FlexVolumeSource.driver': fc.constant('csi.cert-manager.io'),
  'ResourceRequirements.limits': resources,
  'ResourceRequirements.requests': resources,
  'VolumeMount.mountPath': fc.constantFrom('/data', '/a', '/b'),
};

/** Of their optional fields one must be given: with several, most volumes would be taken out again. */
const oneMember = new Set(['Volume', 'VolumeProjection', 'EnvVarSource', 'LifecycleHandler', 'NetworkPolicyPeer']);
/** Fields that would be rare otherwise: each is there every second time. */
const preferred: Readonly<Record<string, readonly string[]>> = {
  ObjectMeta: ['labels', 'annotations'],
  Volume: ['csi', 'flexVolume'],
  NetworkPolicyPeer: ['namespaceSelector'],
  NetworkPolicySpec: ['ingress', 'egress'],
  PodSpec: ['volumes', 'tolerations', 'terminationGracePeriodSeconds'],
};

/** What no schema calls required, and without which there is little to see. */
const always: Readonly<Record<string, readonly string[]>> = {
  Namespace: ['metadata'],
  Pod: ['metadata', 'spec'],
  NetworkPolicy: ['metadata', 'spec'],
  NetworkPolicyIngressRule: ['from'],
  NetworkPolicyEgressRule: ['to'],
  Container: ['image'],
  // The two that carry maps of free keys.
  CSIVolumeSource: ['volumeAttributes'],
  FlexVolumeSource: ['options'],
};

/** @param definition for example `io.k8s.api.core.v1.Pod` */
export function objectsOf({ components: { schemas } }: OpenApi, definition: string): fc.Arbitrary<JsonMap> {
  const known = new Map<string, fc.Arbitrary<unknown>>();

  function named(id: string): fc.Arbitrary<unknown> {
    const made = known.get(id);
    if (made !== undefined) return made;
    const schema = schemas[id];
    if (schema === undefined) throw new Error(`the document has no ${id}`);
    const arbitrary = valuesOf(schema, id.split('.').at(-1) ?? '');
    known.set(id, arbitrary);
    return arbitrary;
  }

  /** A list that is required is not empty. */
  function valuesOf(schema: Schema, name: string, isRequired = false): fc.Arbitrary<unknown> {
    const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
    if (reference !== undefined) return named(reference.split('/').at(-1) ?? '');
    if (schema.enum) return fc.constantFrom(...schema.enum);
    if (schema.properties) return structure(schema, schema.properties, name);
    if (schema.items) return fc.array(valuesOf(schema.items, name), { minLength: isRequired ? 1 : 0, maxLength: 2 });
    if (schema.additionalProperties) return mapOf(hostileKey, valuesOf(schema.additionalProperties, name));
    if (schema.format === 'int-or-string') return fc.oneof(port, word);
    if (schema.oneOf) return quantity;
    if (schema.type === 'boolean') return fc.boolean();
    if (schema.type === 'integer') return schema.format === 'int64' ? wide : narrow;
    if (schema.type === 'object') return fc.constant({});
    if (schema.format === 'date-time') return date;
    if (schema.format === 'byte') return fc.constant('AAEC');
    return fc.oneof({ weight: 6, arbitrary: word }, { weight: 1, arbitrary: fc.constantFrom('', '/', 'é"\\', '1') });
  }

  function structure({ required: needed = [] }: Schema, properties: Readonly<Record<string, Schema>>, name: string) {
    const required = [...needed, ...(always[name] ?? [])];
    const fields = Object.fromEntries(
      Object.entries(properties).map(([field, schema]) => [
        field,
        hints[`${name}.${field}`] ?? valuesOf(schema, `${name}.${field}`, required.includes(field)),
      ]),
    );
    const optional = Object.keys(fields).filter((field) => !required.includes(field));
    const liked = preferred[name] ?? [];
    const rare = optional.filter((field) => !liked.includes(field));
    const some = oneMember.has(name)
      ? fc
          .oneof(fc.constantFrom(...optional), fc.constantFrom(...(liked.length > 0 ? liked : optional)))
          .map((field) => [field])
      : fc
          .tuple(fc.subarray(rare, { maxLength: Math.min(rare.length, 3) }), fc.subarray([...liked]))
          .map(([left, right]) => [...left, ...right]);
    return some.chain((chosen) =>
      fc.record(
        Object.fromEntries([
          ...required.map((field) => [field, fields[field]]),
          ...chosen.map((field) => [field, fc.option(fields[field] ?? never, { freq: 12 })]),
        ]),
      ),
    );
  }

  return named(definition).map((value) => {
    if (!isMap(value)) throw new Error(`${definition} is not an object`);
    return value;
  });
}

const narrow = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constantFrom(-1, 2 ** 31 - 1));
/** The last ones are no numbers of JavaScript. */
const wide = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.constantFrom('9007199254740993', '9223372036854775807').map(rawNumber),
);

/** `Object.fromEntries` makes `__proto__` a key like any other. */
function mapOf(key: fc.Arbitrary<string>, value: fc.Arbitrary<unknown>): fc.Arbitrary<JsonMap> {
  return fc
    .uniqueArray(fc.tuple(key, value), { maxLength: 3, selector: ([name]) => name })
    .map((entries) => Object.fromEntries(entries));
}

/**
 * Takes out of the object, in place, what the API server complained about: the field that it names, or the deepest one on
 * the way there. `false` when nothing is left to take out.
 * @param paths `details.causes[*].field` of its answer, such as `spec.containers[0].ports[1].hostPort`
 */
export function mended(object: JsonMap, paths: readonly string[]): boolean {
  let taken = false;
  // From the last to the first, so that places in lists stay what they are.
  for (const path of [...paths].reverse()) {
    let holder: JsonMap | unknown[] = object;
    let step = '';
    let value: unknown = object;
    let depth = 0;
    for (const next of path.split(/[.[\]]+/).filter((part) => part !== '')) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, next)) break;
      holder = value as JsonMap | unknown[];
      step = next;
      value = Reflect.get(value, next);
      depth += 1;
    }
    if (depth < 2) continue;
    if (Array.isArray(holder)) holder.splice(Number(step), 1);
    else Reflect.deleteProperty(holder, step);
    taken = true;
  }
  return taken;
}
