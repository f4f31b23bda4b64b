/** Options that several commands have, with the same meaning in each. */
import { optionalText } from './options.ts';

export const tenancyOptions = {
  tenants: optionalText(
    'DIR',
    'read Tenant and Exemption documents from the YAML files of this folder',
    'the Tenant and Exemption objects of the API server',
  ),
  config: optionalText('FILE', 'read the Settings document from this YAML file', 'built-in settings'),
};

export const kubeconfigOption = optionalText(
  'FILE',
  'connect to the API server of this kubeconfig; $KUBECONFIG is never read',
  'the service account of the pod',
);
