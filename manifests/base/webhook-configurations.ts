/** The webhook configurations of Bulkhead, from the table of kinds, as the files that people apply. */
import { Document, isScalar, isSeq, visit } from 'yaml';
import type { MatchCondition } from '../../src/backstop/unread-conditions.ts';
import type { Kind, ReviewRule } from '../../src/kinds/kind.ts';
import { kinds } from '../../src/kinds/kinds.ts';
import { namespaceSelector } from '../../src/kinds/selected-namespaces.ts';
import { meshRule, unreadRule } from '../../src/kinds/unread-kinds.ts';
import { meshWebhook } from '../../src/tenancy/mesh-namespaces.ts';
import type { Module } from '../../src/tenancy/settings.ts';
import { conditionsOf } from './match-conditions.ts';

type Phase = ReviewRule['phase'];

interface Webhook {
  readonly name: string;
  readonly phase: Phase;
  readonly scope: Kind['scope'];
  /** Whether it gets the filtered rules of namespaced kinds, or the others. Undefined: both. */
  readonly filtered?: boolean;
  /** It gets what the table of kinds does not read, and nothing else. */
  readonly unread?: true;
  /** It gets what is written in the namespaces of the mesh, and nothing else. */
  readonly mesh?: true;
  /** It gets what the settings can switch off, and nothing else. */
  readonly module?: Module;
  readonly conditions: readonly MatchCondition[];
}

interface Configuration {
  readonly name: string;
  readonly webhooks: readonly Webhook[];
}

interface File {
  readonly file: string;
  readonly about: string;
  readonly configurations: readonly Configuration[];
}

const files: readonly File[] = [
  {
    file: 'webhooks-for-namespaces.yaml',
    about: `The webhook configurations for cluster-scoped objects: Namespaces, Tenants, Exemptions, and policy kinds that Bulkhead does
not read (docs/decisions/0034). No label exempts an object. A selector would read the labels of the object that is written, so a user
who may set a label could exempt his own object, and kube-system could be labelled.

All webhooks start with failurePolicy Ignore. serve --webhook-configurations sets Fail once a write that Bulkhead must refuse was
refused through the API server, and again each time these files are applied (docs/decisions/0020). It writes the CA bundle and the path, too.
The annotation stops AKS from adding a selector that exempts objects by a label.

failurePolicy of the mutating webhooks becomes Fail, too. Ignore would not weaken anything, because validate refuses an object that lacks
its label. But users would read that a label is missing, while in fact Bulkhead was unavailable.
Another webhook may change what the decision was based on, so the mutating webhooks have reinvocationPolicy IfNeeded.
Answers take milliseconds. timeoutSeconds is the delay after a node lost its power, once for each connection to it.`,
    configurations: [
      {
        name: 'bulkhead-namespaces',
        webhooks: [{ name: 'mutate.bulkhead.dev', phase: 'mutate', scope: 'Cluster', conditions: [] }],
      },
      {
        name: 'bulkhead-namespaces',
        webhooks: [
          {
            name: 'validate.bulkhead.dev',
            phase: 'validate',
            scope: 'Cluster',
            conditions: conditionsOf.clusterScoped,
          },
          {
            name: 'validate.network.bulkhead.dev',
            phase: 'validate',
            scope: 'Cluster',
            unread: true,
            conditions: conditionsOf.unread,
          },
        ],
      },
    ],
  },
  {
    file: 'webhooks-for-workloads.yaml',
    about: `The webhook configuration for workloads. It only warns: the author of a Deployment learns at once why its pods will be refused,
which otherwise stands in an Event of a ReplicaSet. The pods themselves are judged when they are created. So the endpoint never refuses,
and failurePolicy stays Ignore for ever. The timeout is short, because a warning is not worth a long wait.`,
    configurations: [
      {
        name: 'bulkhead-workloads',
        webhooks: [
          { name: 'warn.bulkhead.dev', phase: 'warn', scope: 'Namespaced', conditions: conditionsOf.workloads },
        ],
      },
    ],
  },
  {
    file: 'webhooks-inside-namespaces.yaml',
    about: `The webhook configurations for objects inside namespaces. Here they select every namespace, because only the settings know the
tenant label. Before serve --webhook-configurations sets failurePolicy Fail, it writes a selector for namespaces with the tenant label, which
bulkhead-namespaces guards. In others pods start while Bulkhead is down (docs/decisions/0030). Where the settings say observe, it leaves
the selector as it is here. kube-system and bulkhead-system are left out in any case, by the one label that the API server sets itself.
Their names are the platform's; otherwise a tenant could create such a namespace.

Never set failurePolicy Fail in this file: with every replica down, the pods of the platform would then be rejected, too.

Requests that are always sent have a webhook without match conditions. The webhooks called filtered have them: for a
condition the API server prepares the whole object, even where every condition is true (docs/decisions/0022-what-is-not-sent.md).
The webhook called network gets what API groups of network policy hold beside the kinds that Bulkhead reads (docs/decisions/0034).
The webhooks called services and routes get Services with their endpoints, and Ingresses with the Gateway API (docs/neighbours.md).
The one called warn.rights gets Roles and RoleBindings, and only warns. Its failurePolicy stays Ignore for ever.
With network.services.judged, network.routes.judged or rights.judged false in the settings, the one of that name selects no namespace.
The webhook called mesh gets what is written of Istio in the root namespace of the mesh and beside shared gateways. Bulkhead writes their
names into its selector, and none without a section istio in the settings.
failurePolicy, reinvocationPolicy and timeoutSeconds: see webhooks-for-namespaces.yaml.`,
    configurations: [
      {
        name: 'bulkhead',
        webhooks: [
          { name: 'mutate.bulkhead.dev', phase: 'mutate', scope: 'Namespaced', filtered: false, conditions: [] },
          {
            name: 'mutate.filtered.bulkhead.dev',
            phase: 'mutate',
            scope: 'Namespaced',
            filtered: true,
            conditions: conditionsOf.mutatingFiltered,
          },
        ],
      },
      {
        name: 'bulkhead',
        webhooks: [
          { name: 'validate.bulkhead.dev', phase: 'validate', scope: 'Namespaced', filtered: false, conditions: [] },
          {
            name: 'validate.filtered.bulkhead.dev',
            phase: 'validate',
            scope: 'Namespaced',
            filtered: true,
            conditions: conditionsOf.validatingFiltered,
          },
          {
            name: 'validate.network.bulkhead.dev',
            phase: 'validate',
            scope: 'Namespaced',
            unread: true,
            conditions: conditionsOf.unread,
          },
          {
            name: 'validate.services.bulkhead.dev',
            phase: 'validate',
            scope: 'Namespaced',
            module: 'services',
            conditions: conditionsOf.services,
          },
          {
            name: 'validate.routes.bulkhead.dev',
            phase: 'validate',
            scope: 'Namespaced',
            module: 'routes',
            conditions: conditionsOf.routes,
          },
          { name: 'warn.rights.bulkhead.dev', phase: 'warn', scope: 'Namespaced', module: 'rights', conditions: [] },
          // The last is one that gets Fail: the manual waits for it.
          { name: meshWebhook, phase: 'validate', scope: 'Namespaced', mesh: true, conditions: [] },
        ],
      },
    ],
  },
];

/** The files, with the text that people apply. */
export function webhookFiles(): readonly { readonly file: string; readonly text: string }[] {
  return files.map(({ file, about, configurations }) => ({
    file,
    text: `${comment(`Made from src/kinds/ by generate.ts.\n\n${about}`)}${configurations.map(textOf).join('---\n')}`,
  }));
}

export function comment(text: string): string {
  return text.replace(/^(.*)$/gm, (line) => (line === '' ? '#' : `# ${line}`)).concat('\n');
}

function textOf(configuration: Configuration): string {
  const document = new Document(configurationOf(configuration), { aliasDuplicateObjects: false });
  visit(document, {
    Seq(_, list) {
      if (list.items.every(isScalar)) list.flow = true;
    },
  });
  for (const [index, { phase, conditions }] of configuration.webhooks.entries()) {
    const failurePolicy = document.getIn(['webhooks', index, 'failurePolicy'], true);
    if (isScalar(failurePolicy)) failurePolicy.comment = phase === 'warn' ? ' For ever.' : ' Bulkhead sets it to Fail.';
    const list = document.getIn(['webhooks', index, 'matchConditions']);
    if (!isSeq(list)) continue;
    for (const [at, { why }] of conditions.entries()) {
      const item = list.items[at];
      if (why !== '' && typeof item === 'object' && item !== null) Object.assign(item, { commentBefore: wrapped(why) });
    }
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Lines of a comment, not longer than the others of the file. */
export function wrapped(text: string): string {
  return text.replace(/(.{1,120})(?: |$)/g, ' $1\n').trimEnd();
}

function configurationOf({ name, webhooks }: Configuration): object {
  const mutating = webhooks.every(({ phase }) => phase === 'mutate');
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: mutating ? 'MutatingWebhookConfiguration' : 'ValidatingWebhookConfiguration',
    metadata: {
      name,
      labels: { 'app.kubernetes.io/component': 'webhooks' },
      annotations: { 'admissions.enforcer/disabled': 'true' },
    },
    webhooks: webhooks.map(webhookOf),
  };
}

function webhookOf(webhook: Webhook): object {
  const { name, phase, scope, conditions } = webhook;
  return {
    name,
    admissionReviewVersions: ['v1'],
    clientConfig: { service: { namespace: 'bulkhead-system', name: 'bulkhead', port: 443 } },
    sideEffects: 'None',
    failurePolicy: 'Ignore',
    ...(phase === 'mutate' && { reinvocationPolicy: 'IfNeeded' }),
    timeoutSeconds: phase === 'warn' ? 2 : 5,
    matchPolicy: 'Equivalent',
    ...(scope === 'Namespaced' && { namespaceSelector: namespaceSelector(undefined) }),
    ...(conditions.length > 0 && {
      matchConditions: conditions.map(({ name, expression }) => ({ name, expression })),
    }),
    rules: rulesOf(webhook),
  };
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
  readonly scope: Kind['scope'];
}

/** Neighbours that differ in nothing but their resources are one rule. */
function rulesOf({ phase, scope, filtered, unread, mesh, module }: Webhook): readonly Rule[] {
  if (unread === true) return [unreadRule(scope)];
  if (mesh === true) return [meshRule];
  const rules: Rule[] = [];
  for (const kind of kinds.filter((one) => one.scope === scope)) {
    for (const review of kind.reviews) {
      if (review.phase !== phase || review.module !== module) continue;
      if (filtered !== undefined && filtered !== (review.filtered === true)) continue;
      const { resources, operations } = review;
      const rule = { apiGroups: [kind.group], apiVersions: kind.versions, resources, operations, scope };
      const last = rules.at(-1);
      if (last !== undefined && sameButForResources(last, rule)) {
        rules[rules.length - 1] = { ...last, resources: [...last.resources, ...resources] };
      } else rules.push(rule);
    }
  }
  return rules;
}

function sameButForResources(one: Rule, other: Rule): boolean {
  return (['apiGroups', 'apiVersions', 'operations'] as const).every((field) => `${one[field]}` === `${other[field]}`);
}
