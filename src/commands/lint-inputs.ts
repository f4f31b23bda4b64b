/** The texts that `bulkhead lint` judges: files and folders, the standard input, and what kustomize makes of a folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { printable } from '../admission/message.ts';
import type { TextFile } from '../files/read-files.ts';
import { largest, readManifests, textOf } from '../files/read-manifests.ts';
import type { Problem } from '../tenancy/problem.ts';
import { CannotStart } from './cannot-start.ts';
import type { Surroundings } from './command.ts';
import { texts } from './options.ts';

export interface LintInputs {
  readonly files: readonly TextFile[];
  readonly problems: readonly Problem[];
  readonly unread: readonly Problem[];
  /** Files that are left out as they configure Bulkhead. */
  readonly configuration: number;
}

export const excludeOption = {
  exclude: texts(
    'FOLDER',
    'leave out this folder below a folder that is read, such as node_modules; repeat for more',
    'every folder is read',
  ),
};

/** In findings. */
const standardInput = '<stdin>';

/**
 * @param configuration files and folders of settings, tenants and namespaces, which are not judged
 * @param exclude folders that are not read; where there are any, a line of the standard error names them
 * @throws CannotStart where kustomize fails
 */
export async function readInputs(
  paths: readonly string[],
  folders: readonly string[],
  configuration: readonly (string | undefined)[],
  exclude: readonly string[],
  { input, remark }: Pick<Surroundings, 'input' | 'remark'>,
): Promise<LintInputs> {
  const isLeftOut = await within(configuration.filter((path) => path !== undefined));
  const manifests = await readManifests(
    paths.filter((path) => path !== '-'),
    isLeftOut,
    exclude,
  );
  if (manifests.excluded.length > 0)
    remark?.(`excluded: ${manifests.excluded.map((one) => printable(one)).join(', ')}`);
  const piped = paths.includes('-') ? [textOf(standardInput, await allOf(input))] : [];
  for (const folder of folders) piped.push(await kustomized(folder));
  return {
    files: [...manifests.files, ...piped.flatMap((one) => ('text' in one ? [one] : []))],
    problems: [...manifests.problems, ...piped.flatMap((one) => ('content' in one ? [one.content] : []))],
    unread: manifests.unread,
    configuration: manifests.leftOut,
  };
}

async function within(paths: readonly string[]): Promise<(real: string) => boolean> {
  const roots = await Promise.all(paths.map((path) => realpath(path)));
  return (real) => roots.some((root) => real === root || real.startsWith(`${root}${sep}`));
}

async function allOf(input: Surroundings['input']): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of input ?? []) {
    parts.push(part);
    length += part.length;
    if (length > largest) break;
  }
  return Buffer.concat(parts);
}

/** The first of these that is there. */
const builders = [
  ['kustomize', 'build'],
  ['kubectl', 'kustomize'],
] as const;

async function kustomized(folder: string): Promise<TextFile | { readonly content: Problem }> {
  for (const [program, verb] of builders) {
    const ran = await run(program, [verb, folder]);
    if (ran === undefined) continue;
    if (ran.code !== 0)
      throw new CannotStart(`${program} ${verb} ${folder} failed: ${printable(ran.errors.trim())}`, 2);
    return textOf(`<${program} ${verb} ${folder}>`, ran.output);
  }
  throw new CannotStart(
    '-k needs kustomize or kubectl in the PATH; without them, pipe the output in: kubectl kustomize DIR | bulkhead lint -',
    2,
  );
}

/** Undefined: there is no such program. */
async function run(program: string, words: readonly string[]) {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    const [output, errors, [code]] = await Promise.all([
      buffer(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { output, errors, code };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
