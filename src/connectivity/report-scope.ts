/**
 * What a report is about: a namespace, and labels. Everything is read and asked all the same, as what is elsewhere decides too: a scope
 * leaves out what is said, never what is known.
 */
import type { StringMap } from '../kubernetes/objects.ts';
import type { PodClass } from './parties.ts';

export interface ReportScope {
  /** Of pods and of what makes them: the labels of the pods. @param namespace empty for what is in none, which no namespace has */
  has(namespace: string, labels: StringMap | null | undefined): boolean;
  /** @param object as `KIND NAMESPACE/NAME` */
  hasObject(object: string): boolean;
  hasNamespace(name: string): boolean;
  /** Labels are asked for, so that a namespace is only reported with something of its own. */
  readonly isByLabels: boolean;
}

/** All pods of a class have the same labels. */
export function covers(scope: ReportScope, { namespace, workloads: [first] }: PodClass): boolean {
  return scope.has(namespace.name, first?.labels);
}
