/** Files with objects as kubectl takes them: files, folders with all that is inside them, and a text from elsewhere; as text. */
import type { Dirent } from 'node:fs';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Problem } from '../tenancy/problem.ts';
import { problem, type TextFile, unreadable } from './read-files.ts';

export interface Manifests {
  readonly files: readonly TextFile[];
  /** Of files whose content is not text that could be read. */
  readonly problems: readonly Problem[];
  /** Files that were left out. */
  readonly leftOut: number;
  /** Folders that were excluded, by the paths that lead there. */
  readonly excluded: readonly string[];
  /** What could not be opened. */
  readonly unread: readonly Problem[];
}

/** The output of a large Helm chart has some MiB. Beyond, parsing alone would take minutes. */
export const largest = 32 * 1024 * 1024;
/** Files that are open at one time. */
const together = 64;

/**
 * @param paths files, whatever their names are, and folders: of these, files that end in .yaml, .yml or .json, at any depth. As
 * `kubectl apply -R` leaves out no folder for its name, none is: also not hidden ones. Symbolic links are followed, each file and folder is
 * read once.
 * @param isLeftOut of the path behind all links
 * @param exclude folders below those of `paths` that are not entered. A link elsewhere that leads into one is followed, as links are
 * written by tenants, too
 */
export async function readManifests(
  paths: readonly string[],
  isLeftOut: (real: string) => boolean = () => false,
  exclude: readonly string[] = [],
): Promise<Manifests> {
  const unread: Problem[] = [];
  const files: string[] = [];
  const excluded: string[] = [];
  const exclusions = new Set(exclude.map((folder) => resolve(folder)));
  const into: Collected = { files, unread, seen: new Set(), isLeftOut, leftOut: 0, exclusions, excluded };
  for (const path of paths) await collect(path, into);
  const read: (TextFile | Unread)[] = [];
  for (let from = 0; from < files.length; from += together)
    read.push(...(await Promise.all(files.slice(from, from + together).map(readText))));
  return {
    files: read.flatMap((one) => ('text' in one ? [one] : [])),
    problems: read.flatMap((one) => ('content' in one ? [one.content] : [])),
    leftOut: into.leftOut,
    excluded,
    unread: [...unread, ...read.flatMap((one) => ('opening' in one ? [one.opening] : []))],
  };
}

interface Collected {
  readonly files: string[];
  readonly unread: Problem[];
  /** Files and folders by the path behind all links. */
  readonly seen: Set<string>;
  readonly isLeftOut: (real: string) => boolean;
  /** Files that are. */
  leftOut: number;
  /** Absolute paths. */
  readonly exclusions: ReadonlySet<string>;
  readonly excluded: string[];
}

async function collect(path: string, into: Collected): Promise<void> {
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) await collectFolder(path, real, into);
    else addFile(path, real, into);
  } catch (error) {
    into.unread.push(unreadable(path, error));
  }
}

function addFile(path: string, real: string, into: Collected): void {
  if (into.seen.has(real)) return;
  into.seen.add(real);
  if (into.isLeftOut(real)) into.leftOut++;
  else into.files.push(path);
}

/** What is behind a link alone must be asked for: a look at each of thousands of files takes a tenth of the time of reading them. */
async function collectFolder(folder: string, realFolder: string, into: Collected): Promise<void> {
  if (into.seen.has(realFolder)) return;
  into.seen.add(realFolder);
  const entries = await entriesOf(folder, into);
  for (const entry of entries.toSorted(inOrder)) {
    const path = join(folder, entry.name);
    const isManifest = /\.(ya?ml|json)$/i.test(entry.name);
    if (into.exclusions.has(resolve(path))) into.excluded.push(path);
    else if (entry.isDirectory()) await collectFolder(path, join(realFolder, entry.name), into);
    else if (entry.isFile()) {
      if (isManifest) addFile(path, join(realFolder, entry.name), into);
    } else if (isManifest || (await leadsToFolder(path))) await collect(path, into);
  }
}

/** By name. The folders of a mounted ConfigMap (`..data`) come last: links beside them have the paths that stay with each update. */
function inOrder({ name: one }: Dirent, { name: other }: Dirent): number {
  return Number(one.startsWith('..')) - Number(other.startsWith('..')) || (one < other ? -1 : 1);
}

async function entriesOf(folder: string, { unread }: Collected): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    unread.push(unreadable(folder, error));
    return [];
  }
}

/** A link that leads nowhere leads to no folder. */
async function leadsToFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

type Unread = { readonly content: Problem } | { readonly opening: Problem };

async function readText(path: string): Promise<TextFile | Unread> {
  try {
    const state = await stat(path);
    // To open a pipe or device could block forever.
    if (!state.isFile()) return { opening: problem(path, 'is not a file', 'give it on the standard input, as -') };
    if (state.size > largest) return { content: problem(path, tooLarge, 'split it into several files') };
    return textOf(path, await readFile(path));
  } catch (error) {
    return { opening: unreadable(path, error) };
  }
}

const tooLarge = `is larger than ${largest / 1024 / 1024} MiB`;

/** @param path what the text is called in findings */
export function textOf(path: string, bytes: Uint8Array): TextFile | { readonly content: Problem } {
  if (bytes.length > largest) return { content: problem(path, tooLarge, 'split it into several files') };
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { content: problem(path, 'is not text in UTF-8', 'save it as UTF-8') };
  }
}
