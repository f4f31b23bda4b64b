import type { Loaded } from '../tenancy/problem.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { noFiles } from './read-files.ts';
import { type TenancyFiles, tenancyOf } from './read-tenancy.ts';
import { type Follower, type Watch, watchFiles } from './watch-files.ts';

/** Follows the files of a tenancy: see watch-files.ts. */
export function watchTenancy(options: TenancyFiles & Follower<Tenancy>): Promise<Loaded<Watch<Tenancy>>> {
  return watchFiles(
    [options.tenants, options.config],
    ([tenants = noFiles, config = noFiles]) => tenancyOf({ tenants, config }, options, Date.now()),
    options,
  );
}
