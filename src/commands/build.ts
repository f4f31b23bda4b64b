/** What was built. A bundle cannot look up package.json, nor a repository. */

/** Put in by the build, where it knows the commit. */
declare const bulkheadCommit: string | undefined;

/** That of package.json: `npm run manifests` writes it. */
export const version = '0.1.0';

/** Undefined when Bulkhead runs from its sources, or was built outside a repository. */
export const commit = typeof bulkheadCommit === 'undefined' ? undefined : bulkheadCommit;
