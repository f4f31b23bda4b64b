/** For the environment of a Bulkhead in a process of its own: it compiles and strips no module again that a process of this run has. */
const { NODE_COMPILE_CACHE: folder } = process.env;

export const compileCache: NodeJS.ProcessEnv = folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
