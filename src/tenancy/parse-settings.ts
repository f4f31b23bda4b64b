import { excerpt } from '../kubernetes/json.ts';
import {
  builtInIdentities,
  builtInNamespaces,
  builtInPrefixes,
  builtInSchedulers,
  builtInServices,
  defaultSettings,
  defaultTenantLabel,
} from './default-settings.ts';
import { defaultDocsURL, parseDocsURL } from './docs-page.ts';
import { warningsAboutGitOps } from './gitops-accounts.ts';
import {
  judgeServiceAddresses,
  parseProtectedRanges,
  unlistedFamilies,
  warningsAbout,
} from './parse-cluster-addresses.ts';
import { parseClusterPolicy } from './parse-cluster-policy.ts';
import { parseGates } from './parse-gates.ts';
import { parseIstio } from './parse-istio.ts';
import { parseNamespaceGrants } from './parse-namespace-grants.ts';
import { parsePods } from './parse-pods.ts';
import { parseNetworkAgents, parsePolicyKinds, warningsAboutKinds } from './parse-policy-kinds.ts';
import { parseReserved } from './parse-reserved.ts';
import { parseRouteSettings } from './parse-route-grants.ts';
import { parseServiceSettings } from './parse-service-grants.ts';
import { parseServices, withoutNames } from './parse-services.ts';
import { parseNamedSubject, parseSubject } from './parse-subject.ts';
import { namesOfTrusted, parseTrustedLabels } from './parse-trusted-labels.ts';
import {
  inReadingOrder,
  type Loaded,
  type Located,
  type Problem,
  type Report,
  reportInto,
  type Step,
} from './problem.ts';
import { checkDocumentBy } from './schema/check-document.ts';
import { type SettingsDocument, settingsSchema } from './schema/settings-schema.ts';
import type { Settings } from './settings.ts';
import type { Subject } from './tenant.ts';

const checkDocument = checkDocumentBy<SettingsDocument>(settingsSchema);

/** Reads the `Settings` document; default-settings.ts says what holds for what is left out. */
export function parseSettings(document: Located<unknown>): Loaded<Settings> {
  const checked = checkDocument(document);
  if (!checked.ok) return checked;
  const { spec } = checked.value.value;
  const problems: Problem[] = [];
  const report = reportInto(problems, document.locate);
  const { identities = [], schedulers = [], namespaces = [], prefixes = [] } = spec.platform ?? {};
  const tenantLabel = spec.tenantLabel ?? defaultTenantLabel;
  judgeTenantLabel(tenantLabel, report);
  const sharedServices =
    spec.sharedServices === undefined ? builtInServices : parseServices(spec.sharedServices, report);
  const { network = {} } = spec;
  const protectedRanges = parseProtectedRanges(network, report);
  judgeServiceAddresses(sharedServices, protectedRanges, network, report);
  const reserved = parseReserved(spec, report);
  const trustedLabels = parseTrustedLabels(spec, tenantLabel, report);
  const platformIdentities = builtInIdentities.concat(
    identities.flatMap((one, index) => parseIdentity(one, ['spec', 'platform', 'identities', index], report) ?? []),
  );
  const allSchedulers = builtInSchedulers.concat(
    schedulers.flatMap((one, index) => parseNamedSubject(one, ['spec', 'platform', 'schedulers', index], report) ?? []),
  );
  const granted = parseNamespaceGrants(
    spec.platform ?? {},
    { tenantLabel, identities: platformIdentities, reserved: reserved.reservedNamespaceKeys, trustedLabels },
    report,
  );
  const istio = parseIstio(spec.istio, spec.mesh, report);
  const networkAgents = parseNetworkAgents(spec.platform?.networkAgents ?? [], report);
  const services = parseServiceSettings(network.services ?? {}, report);
  const grantees = [...granted.namespaceWriters, ...granted.provisioners, ...networkAgents]
    .flatMap(({ subjects }) => subjects)
    .concat(services.controllers);
  const settings: Settings = {
    docsURL: docsURLOf(spec.docsURL ?? defaultDocsURL, report),
    enforcement: spec.enforcement ?? defaultSettings.enforcement,
    tenantLabel,
    platform: {
      identities: platformIdentities,
      schedulers: allSchedulers,
      namespaces: new Set([
        ...builtInNamespaces,
        ...namespaces,
        // A tenant that could take the name of a shared service's namespace would be let in everywhere.
        ...sharedServices.flatMap(({ namespace }) => namespace ?? []),
        ...namesOfTrusted(trustedLabels),
        ...(istio.istio === undefined ? [] : [istio.istio.rootNamespace]),
        // A tenant that could take the name of one of these would make itself the platform, a scheduler, a writer of namespaces, or an agent.
        ...[...platformIdentities, ...allSchedulers, ...grantees].flatMap((subject) =>
          subject.kind === 'ServiceAccount' ? [subject.namespace] : [],
        ),
      ]),
      prefixes: [...new Set([...builtInPrefixes, ...prefixes])],
      ...granted,
      networkAgents,
    },
    ...reserved,
    podSecurityDefault: spec.podSecurity?.clusterDefault,
    pods: parsePods(spec.pods ?? {}, report),
    policyKinds: parsePolicyKinds(network.policyKinds ?? [], report),
    calicoTiers: network.calico?.tiers === undefined ? defaultSettings.calicoTiers : new Set(network.calico.tiers),
    previewModes: network.previewModes === undefined ? defaultSettings.previewModes : new Set(network.previewModes),
    ...(network.attachmentTypes !== undefined && { attachmentTypes: new Set(network.attachmentTypes) }),
    services,
    routes: parseRouteSettings(network.routes ?? {}, report),
    rights: { judged: spec.rights?.judged ?? defaultSettings.rights.judged },
    ...parseClusterPolicy(network, report),
    protectedRanges,
    unlistedFamilies: unlistedFamilies(network),
    sharedServices,
    trustedLabels,
    gates: parseGates(spec.gates ?? {}, report),
    ...(network.plugin !== undefined && { plugin: network.plugin }),
    ...istio,
    ...(network.clusterName !== undefined && { clusterName: network.clusterName }),
  };
  if (problems.length > 0) return { ok: false, problems: inReadingOrder(problems) };
  const warnings = [
    ...warningsAbout(network, document),
    ...warningsAboutKinds(network.policyKinds ?? [], istio, document),
    ...withoutNames(sharedServices, document),
    ...warningsAboutGitOps(spec.platform ?? {}, document),
  ];
  return { ok: true, value: settings, warnings };
}

function docsURLOf(text: string, report: Report): string {
  const url = parseDocsURL(text);
  const reason = `${excerpt(text)} is neither an http or https URL without query and fragment nor a relative path`;
  const fix = 'write where the docs folder is published, such as https://wiki.example/bulkhead';
  if (url === undefined) report(['spec', 'docsURL'], reason, fix);
  return url ?? text;
}

function judgeTenantLabel(key: string, report: Report): void {
  const slash = key.indexOf('/');
  const domain = slash < 0 ? '' : key.slice(0, slash);
  if (/(^|\.)(kubernetes|k8s)\.io$/.test(domain)) {
    report(
      ['spec', 'tenantLabel'],
      `${key} is reserved to Kubernetes itself`,
      'choose a label under a domain of your own',
    );
  }
}

/** Users and service accounts that create the pods of all workloads. As platform identities they would bring every tenant's pods past the checks. */
const workloadControllers: ReadonlySet<string> = new Set([
  'cronjob-controller',
  'daemon-set-controller',
  'deployment-controller',
  'job-controller',
  'replicaset-controller',
  'replication-controller',
  'statefulset-controller',
]);

function parseIdentity(
  document: Parameters<typeof parseSubject>[0],
  steps: readonly Step[],
  report: Report,
): Subject | undefined {
  const subject = parseSubject(document, steps, report);
  if (subject === undefined) return undefined;
  const controller =
    subject.kind === 'ServiceAccount'
      ? subject.namespace === 'kube-system' && workloadControllers.has(subject.name)
      : ['system:kube-controller-manager', 'system:serviceaccounts:kube-system', 'system:nodes'].includes(subject.name);
  if (!controller) return subject;
  return report(
    [...steps, 'name'],
    `${subject.name} makes or runs the pods of every tenant, and would carry them past every check`,
    'leave it out: controllers need not be listed',
  );
}
