/** YAML files of a folder, or one file, as text: in the order of their names, bounded, and never from anything but files. */
import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Problem } from '../tenancy/problem.ts';

export interface TextFile {
  /** As it was asked for. */
  readonly path: string;
  readonly text: string;
}

export interface ReadFiles {
  readonly files: readonly TextFile[];
  readonly problems: readonly Problem[];
  /** What lies there and may have been meant to be read. */
  readonly warnings?: readonly Problem[];
}

export const noFiles: ReadFiles = { files: [], problems: [] };

/** What a ConfigMap can hold at most, and so any one file of it. */
const largest = 1024 * 1024;

/** The file, or what the folder holds by the names *.yaml, *.yml and *.json. Folders inside it are not entered. Undefined: nothing. */
export async function readFiles(path: string | undefined): Promise<ReadFiles> {
  if (path === undefined) return noFiles;
  const listed = await listFiles(path);
  const read = await Promise.all(listed.paths.map(readText));
  return {
    files: read.flatMap((one) => ('text' in one ? [one] : [])),
    problems: [...listed.problems, ...read.flatMap((one) => ('text' in one ? [] : [one]))],
    warnings: listed.unread.map((one) => problem(one, notRead, 'move its documents into files of the folder itself')),
  };
}

/**
 * Changes when any of the files may have changed: which they are, and their state on the disk. Follows symbolic links, so that it
 * sees a ConfigMap volume being switched to its next version. Costs one stat for each file; what cannot be read has a state too.
 */
export async function fingerprint(paths: readonly string[]): Promise<string> {
  const states = await Promise.all(
    paths.map(async (path) => {
      const listed = await listFiles(path);
      return Promise.all([...listed.problems.map(({ reason }) => reason), ...listed.paths.map(stateOf)]);
    }),
  );
  return JSON.stringify(states);
}

/** Equal for equal contents under equal names. */
export function digest(parts: readonly ReadFiles[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64');
}

interface Listed {
  readonly paths: readonly string[];
  readonly problems: readonly Problem[];
  readonly unread: readonly string[];
}

const notRead = 'is not read: a folder is read for its own *.yaml, *.yml and *.json files';

async function listFiles(path: string): Promise<Listed> {
  try {
    if (!(await stat(path)).isDirectory()) return { paths: [path], problems: [], unread: [] };
    // Hidden names are drafts of editors, and the machinery of ConfigMap volumes (`..data`).
    const entries = (await readdir(path, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
    const isRead = ({ name }: Dirent): boolean => /\.(yaml|yml|json)$/.test(name);
    const [read, others] = [entries.filter(isRead), entries.filter((one) => !isRead(one))];
    const unread = others.filter((one) => one.isDirectory() || /\.(ya?ml|json)/i.test(one.name));
    const at = (some: readonly Dirent[]): string[] =>
      some
        .map(({ name }) => name)
        .sort()
        .map((name) => join(path, name));
    return { paths: at(read), problems: [], unread: at(unread) };
  } catch (error) {
    return { paths: [], problems: [unreadable(path, error)], unread: [] };
  }
}

async function stateOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [path, dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    return `${path} ${codeOf(error)}`;
  }
}

async function readText(path: string): Promise<TextFile | Problem> {
  try {
    const state = await stat(path);
    // To open a pipe or device could block forever.
    if (!state.isFile()) return problem(path, 'is not a file', 'move it elsewhere');
    if (state.size > largest) return problem(path, 'is larger than 1 MiB', 'split it into several files');
    return { path, text: new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path)) };
  } catch (error) {
    if (error instanceof TypeError) return problem(path, 'is not text in UTF-8', 'save it as UTF-8');
    return unreadable(path, error);
  }
}

export function unreadable(path: string, error: unknown): Problem {
  const code = codeOf(error);
  if (code === 'ENOENT') return problem(path, 'does not exist', 'create it, or give another path');
  if (code === 'EACCES') return problem(path, 'may not be read', 'let the user that runs Bulkhead read it');
  return problem(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`, '');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** A problem of a file as a whole. */
export function problem(file: string, reason: string, fix: string): Problem {
  return { file, line: 0, column: 0, path: '', reason, fix };
}
