import type { Tenancy } from '../tenancy/tenancy.ts';
import type { Tenant } from '../tenancy/tenant.ts';
import type { Verdict } from './model.ts';

/** Whose border it is, and what is agreed about it. */
export interface Border {
  readonly tenant: Tenant;
  /** The policy's own namespace; one of the tenant's. */
  readonly namespace: string;
  readonly tenancy: Tenancy;
  /** Milliseconds since the epoch; gates that have expired by then are shut. */
  readonly now: number;
}

/** Why an opening is not contained in the tenant. */
export interface Objection {
  readonly verdict: Verdict;
  readonly reason: string;
  /** Something that would get through. Made up, or what the policy itself names; never another tenant's object. */
  readonly witness?: string;
  readonly fix: string;
}
