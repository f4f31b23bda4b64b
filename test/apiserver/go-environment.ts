/** Test files run beside one another. On one processor each, an API server and its etcd need a ninth less processor time. */
const besideOthers = process.env.TAP === '1' ? { GOMAXPROCS: '1' } : {};

/**
 * For the environment of programs in Go. Collecting garbage less often saves an eighth of the processor time of an API server, a sixth of
 * Helm's, and a quarter of kubectl's.
 */
export const thriftyGo = { GOGC: '400', GOMEMLIMIT: '800MiB', ...besideOthers } as const;
