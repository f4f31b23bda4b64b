/**
 * Follows YAML files and takes over each good state of them.
 *
 * By looking, not by fs.watch: a ConfigMap volume changes by a symbolic link being switched, editors replace files, network file
 * systems tell nothing, and each of them loses a watch in its own way. A look costs one stat for each file. A new state counts
 * when two looks in a row saw the same, so that a file that is being written, or a folder half way between two versions, is
 * never taken for what was meant. A bad state is looked at again: what is wrong with it may be beside the files.
 */
import type { Loaded, Problem } from '../tenancy/problem.ts';
import { type Poll, poll } from './poll.ts';
import { digest, fingerprint, problem, type ReadFiles, readFiles } from './read-files.ts';

export interface Follower<Value> {
  /** A new state is in force. Also when the files are as they were before a bad state. */
  readonly onChange: (value: Value, warnings: readonly Problem[]) => void;
  /** A new state is bad and not in force; once for each state. */
  readonly onProblems: (problems: readonly Problem[]) => void;
  /** Milliseconds between two looks; a change is in force after at most two of them. */
  readonly intervalMilliseconds?: number;
}

export interface Watch<Value> extends Poll {
  /** The last good state. */
  current(): Value;
}

/**
 * The problems of the first state, or a watch that follows from then on. Never rejects.
 * @param paths files, or folders of files; undefined: nothing, in its place
 * @param load what the texts of all paths, in their order, come to
 */
export async function watchFiles<Value>(
  paths: readonly (string | undefined)[],
  load: (texts: readonly ReadFiles[]) => Loaded<Value>,
  { onChange, onProblems, intervalMilliseconds = 2000 }: Follower<Value>,
): Promise<Loaded<Watch<Value>>> {
  const read = () => Promise.all(paths.map(readFiles));
  const state = () => fingerprint(paths.filter((path) => path !== undefined));
  // The state before reading: what changes while it is read differs at the first look.
  let taken = await state();
  const texts = await read();
  const first = load(texts);
  if (!first.ok) return first;

  let current = first.value;
  let seen = taken;
  let latest: { readonly contents: string; readonly loaded: Loaded<Value> } = {
    contents: digest(texts),
    loaded: first,
  };
  const following = poll({
    current: latest,
    async load() {
      const now = await state();
      const settled = now === seen;
      seen = now;
      if ((now === taken && latest.loaded.ok) || !settled) return latest;
      const texts = await read();
      if ((await state()) !== now) return latest;
      taken = now;
      latest = { contents: digest(texts), loaded: load(texts) };
      return latest;
    },
    same: (one, other) => one.contents === other.contents && one.loaded.ok === other.loaded.ok,
    changed({ loaded }) {
      if (loaded.ok) {
        current = loaded.value;
        onChange(current, loaded.warnings);
      } else onProblems(loaded.problems);
    },
    failed: (error) => onProblems([problem(paths.join(' '), error.message, '')]),
    pollMilliseconds: intervalMilliseconds,
  });
  return { ok: true, value: { ...following, current: () => current }, warnings: first.warnings };
}
