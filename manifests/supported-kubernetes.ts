/** The minor versions of Kubernetes that Bulkhead supports. `npm run versions` runs the main tests on both ends of the range. */
export const supportedKubernetes = { oldest: '1.34', newest: '1.37' } as const;
