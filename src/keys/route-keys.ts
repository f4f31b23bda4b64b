/** Keys of Ingresses by which controllers for all tenants run text of their authors, or reach what they name. */
import type { KeyGroup } from './key-group.ts';

export const routeKeys: readonly KeyGroup[] = [
  {
    keys: [
      ...['configuration-snippet', 'server-snippet', 'stream-snippet', 'auth-snippet', 'modsecurity-snippet'].map(
        (name) => `nginx.ingress.kubernetes.io/${name}`,
      ),
      ...['server-snippets', 'location-snippets', 'server-snippet', 'location-snippet'].flatMap((name) => [
        `nginx.org/${name}`,
        `nginx.com/${name}`,
      ]),
      'haproxy.org/backend-config-snippet',
      'haproxy.org/frontend-config-snippet',
      'haproxy-ingress.github.io/config-',
      'ingress.kubernetes.io/config-',
    ],
    on: ['routes'],
    protects: 'others-guard',
    effect: 'puts text into the configuration of a controller that serves other tenants, and reads their certificates',
    source: 'CVE-2021-25742, CVE-2023-5044, CVE-2024-7646 (SVC-07)',
  },
  {
    keys: [
      ...['auth-url', 'auth-signin', 'mirror-target', 'mirror-host', 'mirror-request-body', 'auth-tls-match-cn'].map(
        (name) => `nginx.ingress.kubernetes.io/${name}`,
      ),
      'haproxy-ingress.github.io/auth-url',
      'ingress.kubernetes.io/auth-url',
    ],
    on: ['routes'],
    protects: 'others-guard',
    effect: 'makes the controller connect to an address of the author, or read it as configuration',
    source: 'CVE-2025-24514, CVE-2025-1097, CVE-2025-1098 (SVC-07)',
  },
  {
    keys: ['haproxy-ingress.github.io', 'ingress.kubernetes.io'].flatMap((prefix) => [
      `${prefix}/server-alias-regex`,
      `${prefix}/redirect-from-regex`,
    ]),
    on: ['routes'],
    protects: 'others-guard',
    effect: 'lets in the traffic of every host that a pattern matches, also those of others',
    source: 'HAProxy Ingress: server-alias-regex (SVC-07)',
  },
];
