/** AuthorizationPolicies of Istio that are mended by following their fixes to the letter. */
import type { Options, Row } from './cilium-rows.ts';
import { border, ingressController } from './world.ts';

const rules = (source: object, more: object = {}) => ({ rules: [{ from: [{ source }], ...more }] });
const source = '/rules/0/from/0/source';
const own = ['acme-web'];
/** Only pods of the service that have a label, so no name of a namespace is narrow enough. */
const labelled: Options = {
  where: {
    ...border,
    tenancy: {
      ...border.tenancy,
      settings: {
        ...border.tenancy.settings,
        sharedServices: [{ ...ingressController, podSelector: { matchLabels: { app: 'controller' } } }],
      },
    },
  },
};

export const istioRows: readonly Row[] = [
  ['another tenant', rules({ namespaces: ['nobody'] }), [[`${source}/namespaces`, own]]],
  ['every caller', { rules: [{}] }, [['/rules/0/from+', [{ source: { namespaces: own } }]]]],
  [
    'too many combinations',
    rules(
      { namespaces: ['shop'] },
      {
        when: ['a', 'b'].map((letter) => ({
          key: 'source.serviceAccount',
          values: Array.from({ length: 32 }, (_, index) => `${letter}${index}`),
        })),
      },
    ),
    [['/rules/0/when'], [`${source}/namespaces`, own]],
    { chosen: ['when'] },
  ],
  [
    'another trust domain',
    rules({ principals: ['elsewhere.example/ns/acme-web/sa/web'] }),
    [[`${source}/principals/0`, 'cluster.local/ns/acme-web/sa/web']],
    { chosen: ['cluster.local/ns/acme-web/sa/web'] },
  ],
  [
    'a dot in a name',
    rules({ serviceAccounts: ['acme-web/web.old'] }),
    [[source, { principals: ['*/ns/acme-web/sa/web.old'] }]],
  ],
  [
    'a provider that is not listed',
    { action: 'CUSTOM', provider: { name: 'other' }, ...rules({ namespaces: own }) },
    [['/provider'], ['/action', 'ALLOW']],
  ],
  [
    'a service whose accounts are not listed',
    rules({ namespaces: ['ingress-nginx'] }),
    [[`${source}/namespaces`, own]],
    labelled,
  ],
];
