/** settings.md, tenant.md, exemption.md and gate-request.md: every field, what holds by default, and a whole example. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { exemptionSchema } from '../src/exemptions/exemption-schema.ts';
import { gateRequestSchema } from '../src/gates/gate-request-schema.ts';
import { keyGroups } from '../src/keys/built-in-keys.ts';
import { defaultSettings } from '../src/tenancy/default-settings.ts';
import { parseTenant } from '../src/tenancy/parse-tenant.ts';
import { unlined } from '../src/tenancy/problem.ts';
import { settingsSchema } from '../src/tenancy/schema/settings-schema.ts';
import { tenantSchema } from '../src/tenancy/schema/tenant-schema.ts';
import type { SharedService } from '../src/tenancy/settings.ts';
import { identity } from '../src/tenancy/subjects.ts';
import type { Tenant } from '../src/tenancy/tenant.ts';
import { schemaTable } from './schema-table.ts';

export const settingsExampleFile = join(import.meta.dirname, 'settings-example.yaml');
export const tenantExampleFile = join(import.meta.dirname, 'tenant-example.yaml');
export const gateRequestExampleFile = join(import.meta.dirname, 'gate-request-example.yaml');
export const exemptionExampleFile = join(import.meta.dirname, 'exemption-example.yaml');

const builtIn = '[built-in](#built-in)';
const reservedKeys = '[built-in](#reserved-keys)';

export function settingsPage(): string {
  const example = readFileSync(settingsExampleFile, 'utf8');
  const table = schemaTable({
    schema: settingsSchema,
    example: parse(example),
    defaults: {
      'spec.enforcement': code(defaultSettings.enforcement),
      'spec.docsURL': code(defaultSettings.docsURL),
      'spec.tenantLabel': code(defaultSettings.tenantLabel),
      'spec.platform.identities': builtIn,
      'spec.platform.schedulers': builtIn,
      'spec.platform.namespaces': builtIn,
      'spec.platform.prefixes': builtIn,
      'spec.platform.namespaceWriters[].namespaces': 'every namespace',
      'spec.platform.provisioners[].ownerReferences': code('false'),
      'spec.platform.provisioners[].undecided': code('refuse'),
      'spec.reserved.namespaceKeys': reservedKeys,
      'spec.reserved.podKeys': reservedKeys,
      'spec.reserved.policyKeys': reservedKeys,
      'spec.reserved.serviceKeys': reservedKeys,
      'spec.reserved.routeKeys': reservedKeys,
      'spec.podSecurity.clusterDefault': 'not known',
      'spec.mesh': 'not known',
      'spec.istio': 'not read',
      'spec.istio.rootNamespace': '`"istio-system"`',
      'spec.istio.mtls': '`"strict"`',
      'spec.istio.domain': '`"cluster.local"`',
      'spec.istio.defaultExportTo': '`["*"]`',
      'spec.istio.ambient': '`false` with mesh `istio`, `true` with `istio-ambient`, otherwise not known',
      'spec.istio.layerModes': '`["enforce","warn"]`',
      'spec.istio.trustDomains': '`["cluster.local"]`',
      'spec.istio.providers[].tenants': 'every tenant',
      'spec.sharedServices[].serviceAccounts': 'not known',
      'spec.network.plugin': 'not known',
      'spec.network.clusterName': 'not known',
      'spec.pods.runtimeClasses': 'every class',
      'spec.pods.csiDrivers': builtIn,
      'spec.pods.tolerations[].value': 'every value',
      'spec.pods.csiDrivers[].tenants': 'every tenant',
      'spec.network.ipFamilies': '`["IPv4","IPv6"]`',
      'spec.network.cloud': '`all`',
      'spec.rights.judged': code('true'),
      'spec.network.attachmentTypes': 'none beside `policyKinds`',
      'spec.network.routes.judged': code('true'),
      'spec.network.routes.hosts': code('unreserved'),
      'spec.network.routes.ingressClasses': 'every class',
      'spec.network.routes.gatewayClasses': 'every class',
      'spec.network.routes.gateways': 'all but those of other tenants',
      'spec.network.routes.gateways[].name': 'every Gateway',
      'spec.network.services.judged': code('true'),
      'spec.network.services.types': 'every type',
      'spec.network.services.loadBalancerClasses': 'every class',
      'spec.network.services.externalNames': code('every'),
      'spec.network.services.loadBalancerSourceRanges': 'everywhere',
      'spec.network.services.controllers': 'those of Kubernetes',
      'spec.network.previewModes': '`["warn"]`',
      'spec.network.clusterPolicy': code('false'),
      'spec.network.clusterPolicyDeniesNodes': code('false'),
      'spec.network.metadataAddresses': builtIn,
      'spec.sharedServices': builtIn,
      'spec.sharedServices[].ports': 'every port',
      'spec.sharedServices[].ports[].protocol': '`TCP`',
      'spec.sharedServices[].ports[].port': 'every port',
      'spec.sharedServices[].endpoints[].ports[].protocol': '`TCP`',
      'spec.sharedServices[].offer': '`baseline`',
      'spec.sharedServices[].tenants': 'every tenant',
      'spec.sharedServices[].tenantSelector': 'every tenant',
      'spec.gates.from': code(defaultSettings.gates.from),
      'spec.gates.ports[].protocol': '`TCP`',
      'spec.gates.ports[].port': 'every port',
      'spec.gates.between': 'any two tenants',
    },
  });
  return `# Settings

<!-- Made by \`npm run pages\` from src/tenancy/schema/settings-schema.ts and default-settings.ts. -->

The settings hold what the platform decides for all tenants. \`--config FILE\` names the YAML file.
Without a file, the defaults and the built-in lists apply. An unknown field is an error.

## Fields
${table}
## Built-in
The lists of a settings document are added to the built-in ones. \`sharedServices\` and \`pods.csiDrivers\` replace theirs.
\`reserved.released\` takes keys out of the built-in lists, except keys below \`bulkhead.dev/\`.

${builtInLists()}
## Reserved keys
An entry is a key, the beginning of keys, or after an asterisk the ending of keys.
Keys of the classes *identity* and *others' guard* are refused in every mode. Keys of *own protection* follow the mode of the tenant.
Where a plugin or a mesh is named, the key is reserved if \`network.plugin\` or \`mesh\` names it.
It is also reserved while that setting is left out, and for a plugin if the setting is \`other\`.
Some [values are free](checks/reserved-labels.md#free-values).

${keyTable()}
${exampleSection(example)}`;
}

export function tenantPage(): string {
  const example = readFileSync(tenantExampleFile, 'utf8');
  const { mode, isolation, network } = emptyTenant();
  const table = schemaTable({
    schema: tenantSchema,
    example: parse(example),
    defaults: {
      'spec.mode': code(mode),
      'spec.isolation': code(isolation),
      'spec.namespaces.limit': 'no limit',
      'spec.network.within': code(network.within),
      'spec.network.egress[].ports': 'every port',
      'spec.network.egress[].ports[].protocol': '`TCP`',
      'spec.network.egress[].ports[].port': 'every port',
      'spec.network.vouched[].ports[].protocol': '`TCP`',
      'spec.network.vouched[].expires': 'never',
      'spec.network.vouched[].notAssignedToPods': '`false`',
      'spec.network.routes.gateways[].name': 'every Gateway',
      'spec.network.gates[].ports': 'every port',
      'spec.network.gates[].ports[].protocol': '`TCP`',
      'spec.network.gates[].ports[].port': 'every port',
      'spec.network.gates[].expires': 'never',
    },
  });
  return `# Tenant

<!-- Made by \`npm run pages\` from src/tenancy/schema/tenant-schema.ts. -->

A Tenant is a file in the folder of \`--tenants DIR\`, or an object of the API server ([the CRD](../manifests/crds/tenants.bulkhead.dev.yaml)).
The fields are the same. In files, an unknown field is an error.

## Fields
${table}
${exampleSection(example)}`;
}

export function exemptionPage(): string {
  const example = readFileSync(exemptionExampleFile, 'utf8');
  const breakGlass = { requesters: [{ kind: 'ServiceAccount', name: 'on-call', namespace: 'platform' }] };
  const whole = parse(example);
  // Requesters never match together with an owner, so no one example can have both.
  const every = { ...whole, spec: { ...whole.spec, match: { ...whole.spec.match, ...breakGlass } } };
  const defaults = { 'spec.match.kinds': 'every kind' };
  return `# Exemption

<!-- Made by \`npm run pages\` from src/exemptions/exemption-schema.ts. -->

An Exemption is a document beside the tenants in the folder of \`--tenants DIR\`, or an object of the API server
([the CRD](../manifests/crds/exemptions.bulkhead.dev.yaml)). The fields are the same. In files, an unknown field is an error.
[Exempt a workload](exemptions.md) says when to use one.

## Fields
${schemaTable({ schema: exemptionSchema, example: every, defaults })}
${exampleSection(example)}`;
}

export function gateRequestPage(): string {
  const example = readFileSync(gateRequestExampleFile, 'utf8');
  const defaults = { 'spec.ports[].protocol': '`TCP`', 'spec.ports[].port': 'every port' };
  return `# GateRequest

<!-- Made by \`npm run pages\` from src/gates/gate-request-schema.ts. -->

A GateRequest is an object of the API server ([the CRD](../manifests/crds/gaterequests.bulkhead.dev.yaml)), in a namespace of a tenant.
[Open a gate](how-to/gates.md) says what two of them open.

## Fields
${schemaTable({ schema: gateRequestSchema, example: parse(example), defaults })}
${exampleSection(example)}`;
}

function exampleSection(example: string): string {
  return `## Example\n\`\`\`yaml\n${example}\`\`\`\n`;
}

/** What a tenant is that says nothing about itself. */
function emptyTenant(): Tenant {
  const value = { apiVersion: 'bulkhead.dev/v1alpha1', kind: 'Tenant', metadata: { name: 'acme' }, spec: {} };
  const loaded = parseTenant({ value, locate: unlined('a tenant without fields') });
  if (!loaded.ok) throw new Error('a tenant without fields cannot be read');
  return loaded.value;
}

function builtInLists(): string {
  const { platform, protectedRanges } = defaultSettings;
  const lists: readonly (readonly [string, Iterable<string>])[] = [
    ['spec.platform.identities', platform.identities.map(identity)],
    ['spec.platform.schedulers', platform.schedulers.map(identity)],
    ['spec.platform.namespaces', platform.namespaces],
    ['spec.platform.prefixes', platform.prefixes],
    ['spec.network.metadataAddresses', protectedRanges.map(({ text }) => text)],
    ['spec.pods.csiDrivers', defaultSettings.pods.csiDrivers.map(({ driver }) => driver)],
    ['spec.sharedServices', defaultSettings.sharedServices.map(serviceText)],
  ];
  const rows = lists.map(([field, values]) => `| \`${field}\` | ${[...values].map(code).join(', ')} |\n`);
  return `| field | built-in |\n|---|---|\n${rows.join('')}`;
}

const classes = { identity: 'identity', 'others-guard': "others' guard", 'own-protection': 'own protection' } as const;

function keyTable(): string {
  const rows = keyGroups.map(({ keys, on, protects, effect, source, plugins = [], meshes = [] }) => {
    const readers = [...plugins, ...meshes].map(code).join(', ') || 'any';
    const cells = [keys.map(code).join(', '), on.join(', '), classes[protects], effect, readers, source];
    return `| ${cells.join(' | ')} |\n`;
  });
  return `| key | on | class | this key … | plugin or mesh | source |\n|---|---|---|---|---|---|\n${rows.join('')}`;
}

function serviceText({ name, direction, namespace, podSelector, ports }: SharedService): string {
  const numbers = ports.map(({ protocol, first }) => `${protocol}/${first}`).join(' ');
  const labels = Object.entries(podSelector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  return `${name}: ${direction}, namespace ${namespace}, pods ${labels.join(' ')}, ${numbers}`;
}

function code(text: string): string {
  return `\`${text}\``;
}
