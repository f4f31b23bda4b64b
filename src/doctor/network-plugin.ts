/** Whether a network plugin is there that enforces NetworkPolicies, on every node. Without one Bulkhead guards texts that do nothing. */
import { fieldsAt } from '../client/decode.ts';
import type { DoctorCheck, Examination } from './check.ts';
import { type InstalledProgram, installedPrograms } from './installed.ts';
import { isTrue, type Needs } from './programs.ts';
import { compareVersions, parseVersion } from './version.ts';

export const networkPlugin: DoctorCheck = {
  about: 'network plugin',
  findings: {
    'network-plugin-missing': {
      severity: 'error',
      meaning: 'no network plugin is known to be there, so it is not known that NetworkPolicies are enforced',
      fix: 'install a network plugin that enforces NetworkPolicies; if one runs that doctor does not know, try a policy by hand',
    },
    'network-plugin-not-enforcing': {
      severity: 'error',
      meaning: 'the network plugin connects pods, and enforces no NetworkPolicy',
      fix: 'let it enforce them where it can, or install a plugin that does, beside it or in its place',
    },
    'network-plugin-not-everywhere': {
      severity: 'error',
      meaning: 'the plugin that enforces NetworkPolicies does not run on every node',
      fix: 'look at the pods of the DaemonSet; let it tolerate the taints of all nodes',
    },
    // No finding, or a tenant could keep every run of doctor from ending with 0.
    'network-plugin-impostor': {
      severity: 'note',
      meaning: 'a tenant runs something with the name of a network plugin or mesh. It is not taken for one',
      fix: 'ask the tenant what it is for',
    },
  },
  async look(examination) {
    const { list, found } = examination;
    const installed = await installedPrograms(examination, 'DaemonSet');
    if (installed === undefined) return;
    let nodes = 0;
    let builtIn = 0;
    const knowsNodes = await list(['/api/v1/nodes'], ({ object }) => {
      nodes++;
      const { kubeletVersion } = fieldsAt(object, 'status', 'nodeInfo');
      if (isK3s(kubeletVersion)) builtIn++;
    });
    for (const where of installed.impostors)
      found('network-plugin-impostor', { where, why: 'its namespace belongs to a tenant' });
    const plugins = installed.programs.filter(({ program }) => program.enforces !== undefined);
    const reasons = new Map<InstalledProgram, string>();
    for (const one of plugins) {
      const why = whyNot(one) ?? (await whyOff(one, examination));
      if (why !== undefined) reasons.set(one, why);
    }
    const enforcing = plugins.filter((one) => !reasons.has(one));
    for (const one of enforcing) {
      const why = knowsNodes ? missingOn(one, nodes) : undefined;
      if (why !== undefined) found('network-plugin-not-everywhere', { where: one.where, why });
    }
    if (enforcing.length > 0 || (nodes > 0 && builtIn === nodes)) return;
    for (const [{ where }, why] of reasons) found('network-plugin-not-enforcing', { where, why });
    if (plugins.length === 0)
      found('network-plugin-missing', {
        where: 'DaemonSets in namespaces of the platform',
        why: 'none of them is a network plugin that doctor knows',
      });
  },
};

/**
 * k3s enforces NetworkPolicies on each of its nodes by itself, unless --disable-network-policy was given, which nothing shows.
 * @param version of the kubelet
 */
export function isK3s(version: unknown): boolean {
  return typeof version === 'string' && /^v[\d.]+\+k3s\d/.test(version);
}

/** Why a plugin enforces nothing; undefined: it does. */
export function whyNot({ program, version, tag, containers }: InstalledProgram): string | undefined {
  const { enforces, source } = program;
  if (enforces === true) return undefined;
  if (typeof enforces !== 'object') return `${program.program} enforces no NetworkPolicy (${source})`;
  if (!('from' in enforces)) {
    const lack = whatLacks(enforces, containers);
    return lack === undefined ? undefined : `${program.program} ${lack} (${source})`;
  }
  const from = parseVersion(enforces.from);
  if (from !== undefined && version !== undefined && compareVersions(version, from) >= 0) return undefined;
  return `${program.program} enforces NetworkPolicies from version ${enforces.from} on, and this is ${tag ?? 'of no known version'} (${source})`;
}

function whatLacks({ withContainer, flag }: Needs, containers: InstalledProgram['containers']): string | undefined {
  if (withContainer !== undefined && !containers.has(withContainer))
    return `enforces NetworkPolicies only with the container ${withContainer}, which it lacks`;
  if (flag === undefined) return undefined;
  const asked = withContainer === undefined ? [...containers.values()].flat() : (containers.get(withContainer) ?? []);
  // Of a switch that is given twice the last one counts.
  const given = asked.findLast((word) => word === flag.name || word.startsWith(`${flag.name}=`));
  const isOn = given === undefined ? flag.byDefault : given === flag.name || isTrue(given.slice(flag.name.length + 1));
  return isOn ? undefined : `needs the argument ${flag.name}=true to enforce NetworkPolicies`;
}

/** Which option lets a plugin enforce nothing that would otherwise; undefined: none, or its options could not be read, which is reported. */
async function whyOff(
  { program, namespace }: InstalledProgram,
  { get }: Pick<Examination, 'get'>,
): Promise<string | undefined> {
  if (program.options === undefined) return undefined;
  const { configMap, off } = program.options;
  const data = fieldsAt(await get(`/api/v1/namespaces/${namespace}/configmaps/${configMap}`), 'data');
  for (const [key, isOff] of Object.entries(off)) {
    const value = Object.hasOwn(data, key) ? data[key] : undefined;
    if (typeof value === 'string' && isOff(value))
      return `ConfigMap ${namespace}/${configMap} has ${key}: ${value}, with which ${program.program} does not enforce NetworkPolicies (${program.source})`;
  }
  return undefined;
}

function missingOn({ nodes }: InstalledProgram, all: number): string | undefined {
  if (nodes === undefined) return undefined;
  if (nodes.desired < all) return `it is meant for ${nodes.desired} of ${all} nodes`;
  return nodes.ready < nodes.desired ? `it is ready on ${nodes.ready} of ${nodes.desired} nodes` : undefined;
}
