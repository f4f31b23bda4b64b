import type { Loaded, Problem } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { noFiles, problem } from './read-files.ts';
import { type TenancyFiles, tenancyOf } from './read-tenancy.ts';
import { type Follower, type Watch, watchFiles } from './watch-files.ts';

interface TenancyFollower extends TenancyFiles, Follower<Tenancy> {
  /** What keeps a tenancy that can be read from being in force, beside what its files say. */
  readonly problemsOf?: (tenancy: Tenancy) => readonly Problem[];
}

/**
 * Follows the files of a tenancy: see watch-files.ts. A change that takes every tenant away is a problem: a folder that was not mounted
 * or a wrong path is likelier than a cluster that has lost them all.
 */
export function watchTenancy(options: TenancyFollower): Promise<Loaded<Watch<Tenancy>>> {
  let inForce = 0;
  return watchFiles(
    [options.tenants, options.config],
    ([tenants = noFiles, config = noFiles]): Loaded<Tenancy> => {
      const loaded = tenancyOf({ tenants, config }, options, Date.now());
      if (!loaded.ok) return loaded;
      const { size } = loaded.value.tenants;
      const gone = size === 0 && inForce > 0 ? [noneLeft(options.tenants ?? '', inForce)] : [];
      const problems = [...gone, ...(options.problemsOf?.(loaded.value) ?? [])];
      if (problems.length > 0) return { ok: false, problems };
      inForce = size;
      return loaded;
    },
    options,
  );
}

function noneLeft(folder: string, inForce: number): Problem {
  const were = inForce === 1 ? 'the only tenant' : `all ${inForce} tenants`;
  return problem(
    folder,
    `declares no tenant any more, which would remove ${were}`,
    'restart Bulkhead if that is meant',
  );
}
