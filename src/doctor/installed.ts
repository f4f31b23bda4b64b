/** Which of the known programs run in the cluster, and in which version. */
import { type DecodedObject, fieldsAt, isRecord } from '../client/decode.ts';
import { valueAt } from '../kubernetes/json.ts';
import type { Examination } from './check.ts';
import { type Program, programs } from './programs.ts';
import { baseName, parseVersion, tagOf, type Version } from './version.ts';

export interface InstalledProgram {
  readonly program: Program;
  /** `DaemonSet kube-system/cilium` */
  readonly where: string;
  readonly namespace: string;
  /** By name, with the words of their command lines. */
  readonly containers: ReadonlyMap<string, readonly string[]>;
  /** The tag, whatever it is. Undefined: none, or the program has no image that tells. */
  readonly tag: string | undefined;
  readonly version: Version | undefined;
  /** Nodes on which it should run and does; undefined for a Deployment. */
  readonly nodes: { readonly desired: number; readonly ready: number } | undefined;
}

export interface Installed {
  readonly programs: readonly InstalledProgram[];
  /** Objects of tenants with the name of a known program. */
  readonly impostors: readonly string[];
}

const pathOf = { DaemonSet: '/apis/apps/v1/daemonsets', Deployment: '/apis/apps/v1/deployments' } as const;

/** @returns undefined: they could not be listed */
export async function installedPrograms(
  { list, isPlatform, ownerOf }: Pick<Examination, 'list' | 'isPlatform' | 'ownerOf'>,
  kind: Program['kind'],
): Promise<Installed | undefined> {
  const found: InstalledProgram[] = [];
  const impostors: string[] = [];
  const isRead = await list([pathOf[kind]], (object) => {
    const { name, namespace } = object.metadata;
    const program = programs.find((one) => one.kind === kind && one.name === name);
    if (program === undefined) return;
    const where = `${kind} ${namespace}/${name}`;
    if (ownerOf(namespace) !== 'platform') impostors.push(where);
    else if (isPlatform(namespace) || program.namespaces.includes(namespace)) found.push(read(program, where, object));
  });
  return isRead ? { programs: found, impostors } : undefined;
}

function read(program: Program, where: string, { object, metadata }: DecodedObject): InstalledProgram {
  const listed = valueAt(object, 'spec', 'template', 'spec', 'containers');
  const specs = (Array.isArray(listed) ? listed : []).filter(isRecord);
  const containers = new Map(specs.map(({ name, command, args }) => [String(name), [command, args].flatMap(textsIn)]));
  const image = specs.map((one) => String(one.image)).find((one) => baseName(one) === program.image);
  const tag = image === undefined ? undefined : tagOf(image);
  const { desiredNumberScheduled, numberReady } = fieldsAt(object, 'status');
  return {
    ...{ program, where, namespace: metadata.namespace, containers, tag },
    version: tag === undefined ? undefined : parseVersion(tag),
    nodes:
      program.kind === 'DaemonSet'
        ? { desired: Number(desiredNumberScheduled) || 0, ready: Number(numberReady) || 0 }
        : undefined,
  };
}

const textsIn = (list: unknown): readonly string[] => (Array.isArray(list) ? list.map(String) : []);
