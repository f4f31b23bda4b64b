/** Clusters of the size that the bounds of `connectivity.ts` are about, as objects of the API. */
import type { JsonMap } from '../../src/kubernetes/json.ts';

export const tenantLabel = 'bulkhead.dev/tenant';

export function namespaceOf(name: string, labels: Record<string, string>): JsonMap {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

export function podOf(namespace: string, name: string, labels: Record<string, string>, number: number): JsonMap {
  const ip = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  const ports = [{ name: 'http', containerPort: 8080 }];
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels } },
    ...{ spec: { containers: [{ ports }] }, status: { podIPs: [{ ip }] } },
  };
}

export function policyOf(namespace: string, name: string, spec: JsonMap): JsonMap {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { namespace, name }, spec };
}

/** Five policies in each namespace: what the baseline has, and what a tenant writes. */
export function issue(namespaces: number, tenants: number): JsonMap[] {
  const objects: JsonMap[] = [];
  const both = ['Ingress', 'Egress'];
  for (let index = 0; index < namespaces; index++) {
    const name = `namespace-${index}`;
    const own = { matchLabels: { [tenantLabel]: `tenant-${index % tenants}` } };
    const next = { matchLabels: { [tenantLabel]: `tenant-${(index + 1) % tenants}` } };
    const last = { matchLabels: { [tenantLabel]: `tenant-${(index - 1 + tenants) % tenants}` } };
    const dns = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    };
    const [web, db] = [{ matchLabels: { app: 'web' } }, { matchLabels: { app: 'db' } }];
    objects.push(
      namespaceOf(name, { [tenantLabel]: `tenant-${index % tenants}`, env: index % 2 === 0 ? 'prod' : 'dev' }),
      policyOf(name, 'default-deny', { podSelector: {}, policyTypes: both }),
      policyOf(name, 'allow-within', {
        ...{ podSelector: {}, policyTypes: both },
        ...{ ingress: [{ from: [{ namespaceSelector: own }] }], egress: [{ to: [{ namespaceSelector: own }] }] },
      }),
      policyOf(name, 'allow-dns', {
        ...{ podSelector: {}, policyTypes: ['Egress'] },
        egress: [{ to: [dns], ports: [{ protocol: 'UDP', port: 53 }] }],
      }),
      policyOf(name, 'db', {
        ...{ podSelector: db, policyTypes: ['Ingress'] },
        ingress: [
          {
            from: [{ podSelector: web }, { namespaceSelector: next, podSelector: web }],
            ports: [{ protocol: 'TCP', port: 5432 }, { port: 'http' }],
          },
        ],
      }),
      policyOf(name, 'web', {
        ...{ podSelector: web, policyTypes: ['Egress'] },
        egress: [
          { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }], ports: [{ port: 443 }] },
          { to: [{ namespaceSelector: last }], ports: [{ port: 5432 }] },
        ],
      }),
    );
    for (let pod = 0; pod < 10; pod++)
      objects.push(
        podOf(
          ...([name, `pod-${pod}`] as const),
          { app: pod < 5 ? 'web' : 'db', 'pod-template-hash': pod < 5 ? '6d4cf56db6' : '7f9c8d5b4' },
          index * 10 + pod,
        ),
      );
  }
  objects.push(namespaceOf('kube-system', {}), podOf('kube-system', 'dns', { 'k8s-app': 'kube-dns' }, 1 << 20));
  return objects;
}

/** As Antrea's test of scale makes them. */
export function scale(namespaces: number): JsonMap[] {
  const objects: JsonMap[] = [];
  for (let index = 0; index < namespaces; index++) {
    const name = `namespace-${index}`;
    objects.push(namespaceOf(name, { app: name }));
    objects.push(policyOf(name, 'default-deny-all', { podSelector: {}, policyTypes: ['Ingress'] }));
    for (const which of [1, 2]) {
      const labels = { [`app-${which}`]: `scale-${which}` };
      const selector = { matchLabels: labels };
      const ingress = [{ from: [{ podSelector: selector }] }];
      objects.push(policyOf(name, `np-${which}`, { podSelector: selector, policyTypes: ['Ingress'], ingress }));
      for (const pod of [0, 1]) objects.push(podOf(name, `pod-${which}-${pod}`, labels, index * 4 + which * 2 + pod));
    }
  }
  return objects;
}
