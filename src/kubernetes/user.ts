/** Who sends a request: authentication.k8s.io/v1 UserInfo, as an AdmissionReview carries it (the impersonated user, if any). */
export interface UserInfo {
  readonly username: string;
  readonly groups: readonly string[];
}

/** A user who belongs to no tenant and is not the platform. */
export const unaffiliatedUser: UserInfo = { username: '', groups: [] };

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

const serviceAccountPrefix = 'system:serviceaccount:';

/**
 * The service account behind a user name; undefined for any other user.
 * Exact: `system:serviceaccount:NAMESPACE:NAME` with both parts filled and no further colon (ADM-18).
 */
export function serviceAccountOf(user: UserInfo): ServiceAccount | undefined {
  if (!user.username.startsWith(serviceAccountPrefix)) return undefined;
  const parts = user.username.slice(serviceAccountPrefix.length).split(':');
  const [namespace, name] = parts;
  return parts.length === 2 && namespace && name ? { namespace, name } : undefined;
}
