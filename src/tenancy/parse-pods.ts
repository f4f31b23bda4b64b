import { defaultSettings } from './default-settings.ts';
import type { Report } from './problem.ts';
import type { PodsDocument } from './schema/pods-schema.ts';
import type { Settings } from './settings.ts';

/** Kubernetes gives pods tolerations of these by itself (DefaultTolerationSeconds, the DaemonSet controller, TaintNodesByCondition). */
const givenByKubernetes: ReadonlySet<string> = new Set(
  [
    'not-ready',
    'unreachable',
    'disk-pressure',
    'memory-pressure',
    'pid-pressure',
    'unschedulable',
    'network-unavailable',
  ].map((name) => `node.kubernetes.io/${name}`),
);

export function parsePods(
  { sysctls, runtimeClasses, csiDrivers, tolerations = [], devices = [] }: PodsDocument,
  report: Report,
): Settings['pods'] {
  for (const [index, { key }] of tolerations.entries()) {
    if (!givenByKubernetes.has(key)) continue;
    const reason = `${key} is tolerated by pods without their asking, so all of them would be refused`;
    report(['spec', 'pods', 'tolerations', index, 'key'], reason, 'leave it out');
  }
  for (const [index, { resource, deviceClass }] of devices.entries()) {
    if ((resource === undefined) !== (deviceClass === undefined)) continue;
    report(['spec', 'pods', 'devices', index], 'names not exactly one device', 'write either resource or deviceClass');
  }
  return {
    sysctls: new Set(sysctls),
    runtimeClasses: runtimeClasses && new Set(runtimeClasses),
    csiDrivers:
      csiDrivers?.map(({ driver, tenants }) => ({ driver, tenants: tenants && new Set(tenants) })) ??
      defaultSettings.pods.csiDrivers,
    tolerations: tolerations.map(({ key, value, tenants }) => ({ key, value, tenants: new Set(tenants) })),
    devices: devices.map(({ resource, deviceClass, tenants }) => ({
      resource,
      deviceClass,
      tenants: new Set(tenants),
    })),
  };
}
