/** Why a request was not judged, or not in time, and what is said instead of a review; undefined where nothing can be said. */
export const refusals = {
  overloaded: { code: 503, message: 'Bulkhead holds as many reviews as it may. Try again in a second.' },
  'no-room': { code: 503, message: 'Bulkhead holds as many request bodies as it may. Try again in a second.' },
  displaced: {
    code: 503,
    message: 'Newer requests took the place of this one, whose body was incomplete. Try again in a second.',
  },
  'slow-body': { code: 503, message: 'The body did not arrive in time. Try again in a second.' },
  'too-large': {
    code: 413,
    message: 'The body, or what it becomes when it is read, is larger than a review of two objects that etcd takes.',
  },
  aborted: undefined,
  late: { code: 503, message: 'Bulkhead did not decide in time. Try again in a second.' },
  failed: { code: 500, message: 'Bulkhead failed to answer. Its log says why.' },
  'no-certificate': { code: 401, message: 'Bulkhead requires a client certificate.' },
  'other-client': { code: 403, message: 'Bulkhead does not answer to the client certificate that it was shown.' },
} as const;

export type Refusal = keyof typeof refusals;
