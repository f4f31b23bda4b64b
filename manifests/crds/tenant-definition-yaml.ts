import { stringify } from 'yaml';
import { tenantDefinition } from './tenant-definition.ts';

export const tenantDefinitionFile = 'manifests/crds/tenants.bulkhead.dev.yaml';

/** The text of the file that people apply. */
export function tenantDefinitionYaml(): string {
  const header = '# Made by manifests/crds/generate.ts from the schema of the Tenant files.\n';
  return header + stringify(tenantDefinition, { lineWidth: 0, aliasDuplicateObjects: false });
}
