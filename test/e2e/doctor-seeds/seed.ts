/** What a case of `doctor` is, and what several of them use. */
import { admission, type DoctoredCluster, type SettingsChange } from '../doctored-cluster.ts';

export interface Seed {
  readonly wrong: string;
  /** All that is found then. */
  readonly ids: readonly string[];
  /** @returns what puts it right again */
  readonly make?: (cluster: DoctoredCluster) => Promise<() => Promise<void>>;
  readonly settings?: SettingsChange;
  /** In the findings. */
  readonly says?: RegExp;
}

export const validating = `${admission}/validatingwebhookconfigurations`;
export const mutating = `${admission}/mutatingwebhookconfigurations`;
export const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Discovery follows a moment later. */
export async function untilServed({ plane }: DoctoredCluster, path: string, isServed: (text: string) => boolean) {
  for (let attempt = 0; attempt < 150; attempt++) {
    if (isServed((await plane.request('GET', path)).text)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${path} did not change`);
}
