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

/** For commands that only read: see cluster-location.ts. */
export const readerOptions = {
  kubeconfig: optionalText(
    'FILE',
    'connect to the API server of this kubeconfig',
    'the file in $KUBECONFIG, otherwise the service account of the pod',
  ),
  context: optionalText('NAME', 'use this context of the kubeconfig', 'its current context'),
};
