import { stringify } from 'yaml';
import { exemptionDefinition } from './exemption-definition.ts';
import { gateRequestDefinition } from './gate-request-definition.ts';
import { tenantDefinition } from './tenant-definition.ts';

/** The files that people apply. */
export function definitionFiles(): readonly { readonly file: string; readonly text: string }[] {
  return [tenantDefinition, exemptionDefinition, gateRequestDefinition].map((definition) => {
    const header = `# Made by manifests/crds/generate.ts from the schema of the ${definition.spec.names.kind} files.\n`;
    const text = header + stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false });
    return { file: `manifests/crds/${definition.metadata.name}.yaml`, text };
  });
}
