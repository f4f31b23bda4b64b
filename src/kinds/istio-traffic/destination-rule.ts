/** networking/v1alpha3 DestinationRule: how proxies connect to a host. */
import { fieldOf, isGiven, listOf } from '../../kubernetes/json.ts';
import { secretName } from './secret-name.ts';
import { misfits, type Shape } from './shape.ts';
import { noTraffic, type Reference, type Traffic } from './traffic.ts';
import { fullName, textOf, texts, textsOf } from './values.ts';

const settingsShape = {
  ...{ loadBalancer: 'anything', connectionPool: 'anything', outlierDetection: 'anything' },
  tls: {
    ...{ mode: 'anything', clientCertificate: 'anything', privateKey: 'anything', caCertificates: 'anything' },
    ...{ credentialName: 'text', subjectAltNames: 'anything', sni: 'anything', insecureSkipVerify: 'anything' },
    caCrl: 'anything',
  },
} as const satisfies Shape;

const policyShape: Shape = {
  ...settingsShape,
  portLevelSettings: [{ ...settingsShape, port: 'anything' }],
  // The host, which is judged, is asked to connect to the target.
  tunnel: 'anything',
  ...{ proxyProtocol: 'anything', retryBudget: 'anything' },
};

export const destinationRuleShape: Shape = {
  ...{ host: 'text', exportTo: texts, workloadSelector: 'anything', trafficPolicy: policyShape },
  subsets: [{ name: 'anything', labels: 'anything', trafficPolicy: policyShape }],
};

export function readDestinationRule(spec: unknown, namespace: string): Traffic {
  // "destination rules with workloadSelector should not be exported to other namespaces" (pilot/pkg/model, setDestinationRules).
  const exportTo = isGiven(fieldOf(spec, 'workloadSelector'))
    ? [{ path: 'spec.workloadSelector', text: '.' }]
    : textsOf(fieldOf(spec, 'exportTo'), 'spec.exportTo');
  return {
    ...noTraffic,
    exportTo,
    hosts: [{ path: 'spec.host', text: fullName(textOf(fieldOf(spec, 'host')), namespace), at: 'mesh' }],
    references: [
      ...secretsIn(fieldOf(spec, 'trafficPolicy'), 'spec.trafficPolicy', namespace),
      ...listOf(fieldOf(spec, 'subsets')).flatMap((one, index) =>
        secretsIn(fieldOf(one, 'trafficPolicy'), `spec.subsets[${index}].trafficPolicy`, namespace),
      ),
    ],
    misfits: [...misfits(spec, destinationRuleShape, 'spec')],
  };
}

function secretsIn(policy: unknown, path: string, namespace: string): readonly Reference[] {
  return [
    ...secretAt(fieldOf(policy, 'tls'), `${path}.tls`, namespace),
    ...listOf(fieldOf(policy, 'portLevelSettings')).flatMap((one, index) =>
      secretAt(fieldOf(one, 'tls'), `${path}.portLevelSettings[${index}].tls`, namespace),
    ),
  ];
}

function secretAt(tls: unknown, path: string, own: string): readonly Reference[] {
  const written = textOf(fieldOf(tls, 'credentialName'));
  return written === '' ? [] : [{ path: `${path}.credentialName`, ...secretName(written, own), role: 'secret' }];
}
