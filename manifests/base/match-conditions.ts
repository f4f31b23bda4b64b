/**
 * The match conditions of the webhooks, in CEL: which requests the API server does not send (docs/decisions/0022-what-is-not-sent.md).
 * A request is sent when every condition of its webhook is true, so each is true for all kinds that it is not about.
 */
import { allOf, anyOf, changed, literal, metadata, specFinalizers, unchanged } from '../../src/backstop/expressions.ts';
import { type MatchCondition, unreadConditions } from '../../src/backstop/unread-conditions.ts';
import { managedPrefix } from '../../src/baseline/managed.ts';
import { namespaceControllers, namespaceFinalizer } from '../../src/checks/namespace-finalize.ts';
import { addressFields } from '../../src/checks/pod-addresses.ts';
import { countsOfBaseline } from '../../src/checks/quota-on-baseline.ts';
import { builtInAgents } from '../../src/tenancy/network-agents.ts';
import { endpointControllers, serviceControllers } from '../../src/tenancy/service-grants.ts';
import { nameOf } from '../../src/tenancy/subjects.ts';
import type { Subject } from '../../src/tenancy/tenant.ts';

const subresource = 'request.?subResource.orValue("")';
const isKind = (kind: string): string => `request.kind.kind == ${literal(kind)}`;
const by = (subjects: readonly Subject[]): string => `request.userInfo.username in ${literal(subjects.map(nameOf))}`;
const isNotKind = (kind: string): string => `request.kind.kind != ${literal(kind)}`;

/** A field of the status; `empty` stands for a missing one. */
function status(object: 'object' | 'oldObject', field: string, empty: '""' | '[]' | '{}'): string {
  return `${object}.?status.?${field}.orValue(${empty})`;
}

const changesManagers = [
  `${subresource} == ""`,
  `? ${metadata('object', 'managedFields')} != ${metadata('oldObject', 'managedFields')}`,
  `: ${metadata('object', 'managedFields')}.exists(one, ${allOf(
    'one.?subresource.hasValue()',
    '"f:metadata" in one.?fieldsV1.orValue({})',
    `!(one in ${metadata('oldObject', 'managedFields')})`,
  )})`,
].join('\n');

const namespaceUpdateIsJudged: MatchCondition = {
  name: 'update-changes-what-is-guarded',
  why: 'The namespace controller updates the status of a terminating namespace many times, and no check reads that status. Each update changes its own entry of managedFields, which belongs to the subresource.',
  expression: anyOf(
    'request.operation != "UPDATE"',
    isNotKind('Namespace'),
    changed('labels', 'annotations', 'ownerReferences', 'finalizers'),
    `${specFinalizers('object')} != ${specFinalizers('oldObject')}`,
    changesManagers,
  ),
};

const notTheEndOfANamespace: MatchCondition = {
  name: 'not-the-end-of-a-namespace',
  why: 'The last step of a namespace: it is terminating, and the namespace controller removes the finalizer of Kubernetes and changes nothing else. The condition looks at a user name, but never at the name alone.',
  expression: `!(${allOf(
    `${subresource} == "finalize"`,
    `request.userInfo.username in ${literal([...namespaceControllers])}`,
    'oldObject.metadata.?deletionTimestamp.hasValue()',
    `${specFinalizers('oldObject')} == ${literal([namespaceFinalizer])}`,
    `${specFinalizers('object')} == []`,
    unchanged('labels', 'annotations', 'ownerReferences', 'finalizers'),
  )})`,
};

const changesAddress = anyOf(
  ...addressFields.map((field) => {
    const empty = field.endsWith('s') ? '[]' : '""';
    return `${status('object', field, empty)} != ${status('oldObject', field, empty)}`;
  }),
);
const notByItsNode = anyOf(
  'oldObject.?spec.?nodeName.orValue("") == ""',
  'request.userInfo.username != "system:node:" + oldObject.spec.nodeName',
);
const changesLimitOnBaseline = `${literal([...countsOfBaseline.keys()])}.exists(name, object.?status.?hard[?name].orValue("") != oldObject.?status.?hard[?name].orValue(""))`;
const changesLimitOrLowersCount = anyOf(
  `${status('object', 'hard', '{}')} != ${status('oldObject', 'hard', '{}')}`,
  `${status('object', 'used', '{}')}.size() != ${status('oldObject', 'used', '{}')}.size()`,
  `!${status('oldObject', 'used', '{}')}.all(name, ${allOf(
    `name in ${status('object', 'used', '{}')}`,
    'quantity(object.status.used[name]).compareTo(quantity(oldObject.status.used[name])) >= 0',
  )})`,
);

const statusIsJudged: MatchCondition = {
  name: 'status-changes-metadata-addresses-or-limits',
  why: "Kubelets update the status of every pod many times, and the API server updates that of a quota with every object that it counts. The kubelet of a pod's node writes its address, and must be able to while Bulkhead is down. It is recognized by its whole user name; for a pod without a node no user name matches (check pod-addresses).",
  expression: anyOf(
    `!(${subresource} in ["status", "resize"])`,
    changed('labels', 'annotations', 'ownerReferences', 'finalizers'),
    allOf(isKind('Pod'), notByItsNode, changesAddress),
    allOf(isKind('ResourceQuota'), changesLimitOnBaseline),
    allOf(isKind('ResourceQuota'), `request.name.startsWith(${literal(managedPrefix)})`, changesLimitOrLowersCount),
  ),
};

const bindingIsJudged: MatchCondition = {
  name: 'binding-by-others-or-with-metadata',
  why: 'The scheduler of Kubernetes binds every pod, and must be able to while Bulkhead is down. It is recognized by its whole user name. The API server adds labels that say where the node is (check pod-binding). Other labels and annotations would be written to the pod.',
  expression: anyOf(
    isNotKind('Binding'),
    'request.userInfo.username != "system:kube-scheduler"',
    `!${metadata('object', 'labels')}.all(key, key.startsWith("topology.kubernetes.io/") || key == "kubernetes.io/hostname")`,
    `${metadata('object', 'annotations')} != {}`,
  ),
};

const podUpdateIsJudged: MatchCondition = {
  name: 'pod-update-changes-what-is-guarded',
  why: 'Controllers release pods: they remove a finalizer from the pod of a finished Job, and change the owner of an adopted pod.',
  expression: anyOf(
    isNotKind('Pod'),
    'request.operation != "UPDATE"',
    `${subresource} != ""`,
    changed('labels', 'annotations'),
    'object.?spec != oldObject.?spec',
  ),
};

const deleteIsJudged: MatchCondition = {
  name: 'deletes-what-is-managed',
  why: 'Tenants delete their own objects. The stored name counts: a delete of many sends none (ADM-16).',
  expression: anyOf('request.operation != "DELETE"', `oldObject.metadata.name.startsWith(${literal(managedPrefix)})`),
};

const templateIsJudged: MatchCondition = {
  name: 'template-changes',
  why: 'Controllers count revisions and replicas many times; the pods stay the same.',
  expression: anyOf(
    'request.operation == "CREATE"',
    'object.?spec.?template != oldObject.?spec.?template',
    'object.?spec.?jobTemplate.?spec.?template != oldObject.?spec.?jobTemplate.?spec.?template',
  ),
};

const hasNoController: MatchCondition = {
  name: 'nobodys-child',
  why: 'The author of a Deployment has been warned; the controller that makes its ReplicaSets does not read warnings.',
  expression: `!${metadata('object', 'ownerReferences')}.exists(owner, owner.?controller.orValue(false))`,
};

const servicesAreJudged: readonly MatchCondition[] = [
  {
    name: 'not-by-controllers-of-services',
    why: "The controllers of Kubernetes write the endpoints of running applications, and the addresses of load balancers, and must be able to while Bulkhead is down. They are recognized by their whole user names, whose namespaces are the platform's.",
    expression: `!(${anyOf(
      allOf(isNotKind('Service'), by(endpointControllers)),
      allOf(isKind('Service'), by(serviceControllers)),
    )})`,
  },
  {
    name: 'changes-what-leads-traffic',
    why: 'Controllers write conditions, and remove their finalizers. Old clients elect leaders by an annotation of Endpoints, which they write every few seconds.',
    expression: anyOf(
      'request.operation != "UPDATE"',
      changed('labels', 'ownerReferences'),
      allOf(isKind('Service'), changed('annotations')),
      `!${metadata('object', 'finalizers')}.all(one, one in ${metadata('oldObject', 'finalizers')})`,
      ...['spec', 'subsets', 'endpoints', 'ports', 'addressType'].map(
        (field) => `object.?${field} != oldObject.?${field}`,
      ),
      'object.?status.?loadBalancer != oldObject.?status.?loadBalancer',
    ),
  },
  {
    name: 'orphans-when-deleted',
    why: 'A DELETE takes the endpoints along. One that leaves them is judged.',
    expression: anyOf(
      'request.operation != "DELETE"',
      'dyn(request).?options.?propagationPolicy.orValue("") == "Orphan"',
      'dyn(request).?options.?orphanDependents.orValue(false)',
    ),
  },
];

const routesAreJudged: readonly MatchCondition[] = [
  {
    name: 'changes-what-routes-say',
    why: 'Controllers write the status of routes, and remove their finalizers.',
    expression: anyOf(
      'request.operation != "UPDATE"',
      changed('labels', 'annotations'),
      `!${metadata('object', 'finalizers')}.all(one, one in ${metadata('oldObject', 'finalizers')})`,
      'object.?spec != oldObject.?spec',
    ),
  },
];

export const conditionsOf = {
  clusterScoped: [namespaceUpdateIsJudged, notTheEndOfANamespace],
  mutatingFiltered: [podUpdateIsJudged],
  validatingFiltered: [statusIsJudged, bindingIsJudged, podUpdateIsJudged, deleteIsJudged],
  workloads: [templateIsJudged, hasNoController],
  unread: unreadConditions(builtInAgents),
  services: servicesAreJudged,
  routes: routesAreJudged,
} as const satisfies Readonly<Record<string, readonly MatchCondition[]>>;
