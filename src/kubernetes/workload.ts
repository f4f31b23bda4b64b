/** What controllers of Kubernetes make pods from: apps/v1, batch/v1 and the ReplicationController of core/v1. */
import type { KubernetesObject, ObjectMeta, PodSpec } from './objects.ts';

export const workloadKinds = [
  'CronJob',
  'DaemonSet',
  'Deployment',
  'Job',
  'ReplicaSet',
  'ReplicationController',
  'StatefulSet',
] as const;
export type WorkloadKind = (typeof workloadKinds)[number];

/** core/v1 PodTemplateSpec. */
export interface PodTemplate {
  readonly metadata?: ObjectMeta | null;
  readonly spec?: PodSpec | null;
}

export interface Workload extends KubernetesObject {
  readonly spec?: {
    readonly template?: PodTemplate | null;
    /** Of a CronJob, in place of `template`. */
    readonly jobTemplate?: { readonly spec?: { readonly template?: PodTemplate | null } | null } | null;
  } | null;
}

/** Where a workload of this kind holds the template of its pods. */
export function templatePath(kind: WorkloadKind): string {
  return kind === 'CronJob' ? 'spec.jobTemplate.spec.template' : 'spec.template';
}

/** The pod template of the workload; undefined when it has none. */
export function templateOf(kind: WorkloadKind, { spec }: Workload): PodTemplate | undefined {
  return (kind === 'CronJob' ? spec?.jobTemplate?.spec?.template : spec?.template) ?? undefined;
}
