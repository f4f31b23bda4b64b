import type { RateLimitOptions } from '../client/rate-limits.ts';

/** When an object that another client has changed is put back, or removed, again. */
export const conflictLimits: RateLimitOptions = { free: 3, first: 2_000, limit: 60_000 };
