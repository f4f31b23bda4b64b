import type { ControlPlane } from '../apiserver/control-plane.ts';
import { eventually } from '../soak/observer.ts';

/** Has the API server itself refuse every network policy in namespaces with the label `broken: yes`, so that they cannot be closed. */
export async function forbidPolicies(plane: ControlPlane): Promise<void> {
  const api = '/apis/admissionregistration.k8s.io/v1';
  const policy = {
    metadata: { name: 'broken' },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        namespaceSelector: { matchLabels: { broken: 'yes' } },
        resourceRules: [
          {
            apiGroups: ['networking.k8s.io'],
            apiVersions: ['v1'],
            operations: ['CREATE'],
            resources: ['networkpolicies'],
          },
        ],
      },
      validations: [{ expression: 'false', message: 'no policies here, please' }],
    },
  };
  const binding = { metadata: { name: 'broken' }, spec: { policyName: 'broken', validationActions: ['Deny'] } };
  await plane.request('POST', `${api}/validatingadmissionpolicies`, policy);
  await plane.request('POST', `${api}/validatingadmissionpolicybindings`, binding);
  const probe = { metadata: { name: 'probe', labels: { broken: 'yes' } } };
  await plane.request('POST', '/api/v1/namespaces', probe);
  await eventually('the API server goes by it', async () => {
    const path = '/apis/networking.k8s.io/v1/namespaces/probe/networkpolicies?dryRun=All';
    return (
      (await plane.request('POST', path, { metadata: { name: 'probe' }, spec: { podSelector: {} } })).status !== 201
    );
  });
}
