/** The overlay of docs/neighbours.md, built by kustomize: a controller of the settings writes while every replica is dead. */
import { readFile } from 'node:fs/promises';
import type { Test } from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { eventually } from '../soak/observer.ts';
import { balanced, type Caller, type DeadCluster, endpointsOf, paths, succeeded } from './outage-stage.ts';

interface Configuration {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly webhooks: readonly {
    readonly name: string;
    readonly matchConditions?: readonly { readonly name: string }[];
  }[];
}

const servicesWebhook = 'validate.services.bulkhead.dev';
const pool = 'metallb.io/ip-allocated-from-pool';
const service = `${paths.web}/services/kept`;
const status = `${service}/status`;
const annotated = (annotations: object, ip: string) => ({
  metadata: { annotations },
  status: { loadBalancer: { ingress: [{ ip }] } },
});

export async function overlaid(t: Test, cluster: DeadCluster): Promise<void> {
  const [, overlay = ''] =
    /^```yaml overlay\n([\s\S]*?)^```$/m.exec(await readFile('docs/neighbours.md', 'utf8')) ?? [];
  const folder = 'manifests/overlays/with-controllers';
  const written = `mkdir ${folder} && cat > ${folder}/kustomization.yaml <<'END'\n${overlay}END\n`;
  const [built, installed] = [
    await builtBy(cluster, `${written}kubectl kustomize ${folder}`),
    await builtBy(cluster, 'kubectl kustomize manifests/overlays/self-managed'),
  ];
  const [{ patch }] = parse(overlay).patches;
  const [, { value }] = parse(patch);
  const expected = installed.webhooks.map((one) =>
    one.name === servicesWebhook ? { ...one, matchConditions: [...(one.matchConditions ?? []), value] } : one,
  );
  t.strictSame(built.webhooks, expected, 'it adds one condition, and the installed ones stay');
  const index = built.webhooks.findIndex(({ name }) => name === servicesWebhook);
  const matchConditions = built.webhooks[index]?.matchConditions ?? [];
  t.equal(matchConditions.length, 4);
  const operations = [
    { op: 'test', path: `/webhooks/${index}/name`, value: servicesWebhook },
    { op: 'replace', path: `/webhooks/${index}/matchConditions`, value: matchConditions },
  ];
  const patched = ['patch', 'validatingwebhookconfiguration', 'bulkhead', '--type=json'];
  succeeded(await cluster.kubectl('admin', [...patched, `--patch=${JSON.stringify(operations)}`]));
  await writesGoOn(t, cluster);
}

async function builtBy({ shell }: DeadCluster, command: string): Promise<Configuration> {
  const objects = parseAllDocuments(succeeded(await shell(command))).map((one): Configuration => one.toJS());
  const found = objects.find(
    ({ kind, metadata }) => kind === 'ValidatingWebhookConfiguration' && metadata.name === 'bulkhead',
  );
  if (found === undefined) throw new Error(command);
  return found;
}

async function writesGoOn(t: Test, cluster: DeadCluster): Promise<void> {
  const writes = (caller: Caller, path: string, body: object) => cluster.send(caller, 'PATCH', path, body);
  await eventually('its write goes on', async () => (await writes('MetalLB', status, balanced)).status === 200);
  const both = await writes('MetalLB', status, annotated({ [pool]: 'first' }, '198.51.100.11'));
  t.match(both, { status: 200, body: { metadata: { annotations: { [pool]: 'first' } } } }, 'with its annotation');
  t.match(
    await writes('MetalLB', status, annotated({ [pool]: 'second' }, '198.51.100.12')),
    { status: 200 },
    'changed',
  );
  t.match(
    await writes('MetalLB', status, annotated({ [pool]: null }, '198.51.100.13')),
    { status: 200 },
    'and removed',
  );
  const other = { status: { loadBalancer: { ingress: [{ ip: '198.51.100.10' }] } } };
  for (const [caller, path, body] of [
    ['MetalLB', status, { metadata: { labels: { late: 'true' } } }],
    ['MetalLB', status, annotated({ 'metallb.io/loadBalancerIPs': '10.96.0.10' }, '198.51.100.14')],
    ['MetalLB', status, annotated({ [pool]: 'third', 'service.cilium.io/global': 'true' }, '198.51.100.14')],
    ['MetalLB', status, annotated({ 'service.cilium.io/global': '' }, '198.51.100.14')],
    ['MetalLB', service, { spec: { externalIPs: ['192.0.2.7'] } }],
    ['MetalLB', service, { metadata: { annotations: { [pool]: 'fourth' } } }],
    ['namesake of MetalLB', status, other],
    ['alice', status, other],
  ] as const) {
    const { text } = await writes(caller, path, body);
    t.match(text, 'failed calling webhook', `${caller} ${path} ${JSON.stringify(body)}`);
  }
  t.match(await writes('service controller', status, other), { status: 200 }, 'that of Kubernetes still may');
  const slice = await cluster.send('endpoint controller', 'POST', paths.slices, endpointsOf('after-overlay'));
  t.equal(slice.status, 201, 'and so may the endpoint controllers', { text: slice.text });
}
