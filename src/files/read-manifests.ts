/** Files with objects as kubectl takes them: files, folders with all that is inside them, and a text from elsewhere; as text. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../tenancy/problem.ts';
import { problem, type TextFile, unreadable } from './read-files.ts';

export interface Manifests {
  readonly files: readonly TextFile[];
  /** Of files whose content is not text that could be read. */
  readonly problems: readonly Problem[];
  /** What could not be opened. */
  readonly unread: readonly Problem[];
}

/** The output of a large Helm chart has some MiB. Beyond, parsing alone would take minutes. */
export const largest = 32 * 1024 * 1024;
/** Files that are open at one time. */
const together = 64;

/**
 * @param paths files, whatever their names are, and folders: of these, files that end in .yaml, .yml or .json, at any depth, without
 * those of hidden folders and node_modules. Symbolic links are followed, each folder is read once.
 */
export async function readManifests(paths: readonly string[]): Promise<Manifests> {
  const unread: Problem[] = [];
  const files: string[] = [];
  const seen = new Set<string>();
  for (const path of paths) await collect(path, true, { files, unread, seen });
  const read: (TextFile | Unread)[] = [];
  for (let from = 0; from < files.length; from += together)
    read.push(...(await Promise.all(files.slice(from, from + together).map(readText))));
  return {
    files: read.flatMap((one) => ('text' in one ? [one] : [])),
    problems: read.flatMap((one) => ('content' in one ? [one.content] : [])),
    unread: [...unread, ...read.flatMap((one) => ('opening' in one ? [one.opening] : []))],
  };
}

interface Collected {
  readonly files: string[];
  readonly unread: Problem[];
  /** Files and folders by the path behind all links. */
  readonly seen: Set<string>;
}

async function collect(path: string, isNamed: boolean, into: Collected): Promise<void> {
  try {
    const real = await realpath(path);
    if (into.seen.has(real)) return;
    const isFolder = (await stat(real)).isDirectory();
    if (!isFolder && !isNamed && !/\.(ya?ml|json)$/i.test(path)) return;
    into.seen.add(real);
    if (!isFolder) {
      into.files.push(path);
      return;
    }
    const names = (await readdir(path)).filter((name) => !name.startsWith('.') && name !== 'node_modules');
    for (const name of names.sort()) await collect(join(path, name), false, into);
  } catch (error) {
    into.unread.push(unreadable(path, error));
  }
}

type Unread = { readonly content: Problem } | { readonly opening: Problem };

async function readText(path: string): Promise<TextFile | Unread> {
  try {
    const state = await stat(path);
    // Opening a pipe or device could wait for ever.
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
