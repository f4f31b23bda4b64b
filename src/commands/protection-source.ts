/** What protects traffic beside network policies, read of a cluster. For the zero-trust report of `bulkhead audit`. */

import {
  type ConfigurationName,
  configurationNameOf,
  configurationNames,
  partsOf,
} from '../configuration/webhook-configuration.ts';
import type { Snapshot } from '../connectivity/snapshot.ts';
import { type RequestingReader, readCluster, Unreadable } from '../facts/cluster-reader.ts';
import { isMap, type JsonMap, valueAt } from '../kubernetes/json.ts';
import { nothingKnown, type Protection, readProtection, type WebhookState } from '../picture/protection.ts';
import type { Settings } from '../tenancy/settings.ts';
import { locationOf } from './cluster-location.ts';
import type { Surroundings } from './command.ts';
import type { SnapshotValues } from './snapshot-source.ts';

const felix = { kind: 'FelixConfiguration', apiVersion: 'crd.projectcalico.org/v1' };
/** The first that is served is read. */
const felixPaths = [
  '/apis/crd.projectcalico.org/v1/felixconfigurations',
  '/apis/projectcalico.org/v3/felixconfigurations',
];
/** It only warns, so its failurePolicy is Ignore for ever. */
const onlyWarns: ConfigurationName = 'validating/bulkhead-workloads';
const ciliumConfigs = ['kube-system', 'cilium'].map((name) => `/api/v1/namespaces/${name}/configmaps/cilium-config`);

/** What cannot be read is not known: it is no problem of the audit, which needs none of it. */
export async function protectionOfCluster(
  values: SnapshotValues,
  { mesh }: Snapshot,
  settings: Settings,
  problems: readonly string[],
  { environment }: Surroundings,
): Promise<Protection> {
  const reader = readCluster(locationOf('audit', values, environment));
  try {
    const objects: JsonMap[] = [];
    await tried(() => reader.eachServed(felixPaths, ({ object }) => void objects.push({ ...object, ...felix })));
    for (const path of ciliumConfigs) {
      const answer = await reader.get(path);
      if (answer.ok && isMap(answer.body)) objects.push({ ...answer.body, apiVersion: 'v1', kind: 'ConfigMap' });
    }
    return {
      ...nothingKnown,
      ...readProtection(objects, mesh, settings),
      webhooks: await webhooksOf(reader),
      problems,
    };
  } finally {
    reader.close();
  }
}

/** @returns whether it could be read */
async function tried(read: () => Promise<void>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
}

async function webhooksOf(reader: RequestingReader): Promise<WebhookState> {
  const wanted = configurationNames.filter((name) => partsOf(name)[0] === 'validating' && name !== onlyWarns);
  const found: string[] = [];
  const ignoring: string[] = [];
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const isRead = await tried(() =>
    reader.each(path, ({ metadata, object }) => {
      const name = configurationNameOf('validating', metadata.name);
      if (name === undefined || name === onlyWarns) return;
      const listed = valueAt(object, 'webhooks');
      const webhooks: readonly unknown[] = Array.isArray(listed) ? listed : [];
      if (webhooks.length > 0) found.push(name);
      for (const one of webhooks)
        if (valueAt(one, 'failurePolicy') !== 'Fail') ignoring.push(String(valueAt(one, 'name')));
    }),
  );
  if (!isRead) return 'not read';
  return { found, missing: wanted.filter((name) => !found.includes(name)), ignoring: [...new Set(ignoring)] };
}
