/** Writes the CustomResourceDefinition of Tenant. A test fails while the file is not what this writes. */
import { writeFileSync } from 'node:fs';
import { tenantDefinitionFile, tenantDefinitionYaml } from './tenant-definition-yaml.ts';

writeFileSync(tenantDefinitionFile, tenantDefinitionYaml());
