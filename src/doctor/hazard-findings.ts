/** What is said of each hazard of hazards.ts. */
import type { FindingKinds } from './check.ts';

const narrow =
  'name the rights that are needed one by one, or list the account under platform.identities if it is the platform';

export const hazardKinds: FindingKinds = {
  'right-everything': {
    severity: 'error',
    meaning: 'an account that is not the platform may do everything, such as remove Bulkhead',
    fix: narrow,
  },
  'right-wildcard': {
    severity: 'error',
    meaning:
      'an account that is not the platform may write every resource of an API group. That includes subresources and policy kinds that Bulkhead does not judge',
    fix: narrow,
  },
  'right-pod-status': {
    severity: 'warning',
    meaning: 'an account that is not the platform may write the status of pods, where addresses and labels are',
    fix: 'remove pods/status from the rule',
  },
  'right-bind': {
    severity: 'error',
    meaning: 'an account that is not the platform may bind or escalate roles, and so give itself any right',
    fix: 'remove the verbs bind and escalate; or leave bind on clusterroles alone, with harmless ones in resourceNames',
  },
  'right-impersonate': {
    severity: 'error',
    meaning:
      'an account that is not the platform may act as others, create tokens of their service accounts, or approve certificates',
    fix: 'remove the verb impersonate, create on serviceaccounts/token, and certificatesigningrequests/approval',
  },
  'right-portforward': {
    severity: 'error',
    meaning:
      'an account that is not the platform may open connections to pods of others by kubectl port-forward, which no NetworkPolicy sees',
    fix: 'remove pods/portforward, or bind the role in namespaces of its own tenant alone',
  },
  'right-proxy': {
    severity: 'error',
    meaning:
      'an account that is not the platform may reach pods, Services or kubelets of others through the API server, which no NetworkPolicy sees',
    fix: 'remove pods/proxy, services/proxy and nodes/proxy, or bind the role in namespaces of its own tenant alone',
  },
  'right-uncovered-policy': {
    severity: 'error',
    meaning:
      'an account that is not the platform may write a policy kind that the API server serves and Bulkhead does not judge',
    fix: 'remove the kind from the rule',
  },
  'right-webhook-configurations': {
    severity: 'error',
    meaning:
      'an account that is not the platform may change admission webhooks or admission policies, which Bulkhead cannot guard',
    fix: 'remove the resources of admissionregistration.k8s.io from the rule, or list the account under platform.identities',
  },
  'right-secrets': {
    severity: 'error',
    meaning:
      'an account that is not the platform may read Secrets of others. With tokens and certificates in them it acts as others',
    fix: 'remove secrets from the rule, or bind the role in namespaces of its own tenant alone',
  },
  'right-api-extensions': {
    severity: 'error',
    meaning:
      'an account that is not the platform may change CustomResourceDefinitions or APIServices, and so remove every Tenant or answer in place of the API server',
    fix: 'remove customresourcedefinitions and apiservices from the rule, or list the account under platform.identities',
  },
  'right-namespaces': {
    severity: 'warning',
    meaning:
      'an account that is not the platform may change or delete every namespace. Bulkhead alone stands between it and those of others',
    fix: 'bind the right in its own namespaces; to create namespaces, the verb create is enough',
  },
  'right-nodes': {
    severity: 'error',
    meaning: 'an account that is not the platform may change nodes, whose labels and taints keep them for some tenants',
    fix: 'remove nodes from the rule, or list the account under platform.identities if it is the platform',
  },
  'right-volumes': {
    severity: 'error',
    meaning:
      'an account that is not the platform may write PersistentVolumes. One of the type hostPath shows a pod the files of its node',
    fix: 'remove persistentvolumes from the rule, or list the account under platform.identities if it is the platform',
  },
};
