/**
 * The cases of test/fixtures that create something, sent to a real API server: it takes the objects, and Bulkhead says the same,
 * word for word, in a dry run (ADM-13) and otherwise.
 */

import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { cast, type Role } from '../fixtures/cast.ts';
import { warningsIn } from '../fixtures/denial.ts';
import { applied } from '../fixtures/json-patch.ts';
import { createReview, submit } from '../fixtures/review.ts';
import { createWorld, tenantFolders } from '../fixtures/world.ts';
import { guard, installTenantResource } from './guarded-cluster.ts';
import { replayed as cases, inNamespaceOfThePlatform, intent, pathOf } from './replayed-cases.ts';

const { tenancy, namespaces } = createWorld();
// Its tenants come as files, beside which no GateRequest is read.
const fromFiles = { ...tenancy, requests: undefined };
const review = createReview(fromFiles, namespaces);

await networkKindsTest(
  'a real API server gives the verdicts of the cases',
  async (t, plane) => {
    await installTenantResource(plane);
    const cluster = await guard(plane, await tenantsWithoutQuotas(join(plane.directory, 'tenants')));
    t.teardown(() => cluster.stop());
    const kubeconfigs = new Map<Role, string>();
    for (const [role, { username, groups }] of Object.entries(cast) as [Role, (typeof cast)[Role]][]) {
      kubeconfigs.set(role, await plane.kubeconfigFor({ user: username, groups }));
    }
    const send = (role: Role, object: object, path: string) =>
      plane.request('POST', path, object, { kubeconfig: kubeconfigs.get(role) ?? '' });
    for (const [name, tenant] of [
      ['acme-web', 'acme'],
      ['payments', 'iota'],
      ['acme-db', 'acme'],
      ['beta-data', 'beta'],
      ['gamma-lab', 'gamma'],
      ['delta-one', 'delta'],
      ['eta-web', 'eta'],
      ['ingress-nginx', undefined],
      ['calico-apiserver', undefined],
      ['istio-system', undefined],
    ] as const) {
      const labels = tenant === undefined ? {} : { 'bulkhead.dev/tenant': tenant };
      const { status, body } = await send('platform admin', { metadata: { name, labels } }, '/api/v1/namespaces');
      t.equal(status, 201, `${name} is there ${JSON.stringify(body)}`);
    }

    for (const handler of ['gvisor', 'kata']) {
      const runtime = { metadata: { name: handler }, handler };
      const { status } = await plane.request('POST', '/apis/node.k8s.io/v1/runtimeclasses', runtime);
      t.equal(status, 201, `the API server knows the runtime class ${handler}`);
    }

    t.ok(cases.length > 100, `${cases.length} cases are replayed`);
    for (const one of cases) {
      const { status, body, headers } = await send(one.user, one.object ?? {}, `${pathOf(one)}?dryRun=All`);
      const text = JSON.stringify(body);
      const warns = intent.has(one.check);
      if (inNamespaceOfThePlatform(one)) {
        t.equal(status, 201, `${one.id}: is not sent, because the namespace has no tenant label`, { found: text });
        continue;
      }
      if (warns || one.expects === 'pass') t.equal(status, 201, `${one.id}: ${one.sentence}`, { found: text });
      if (warns) {
        // RFC 7234, section 5.5; Node joins them.
        const told = [...String(headers.warning ?? '').matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, line = '']) =>
          line.replaceAll('\\"', '"'),
        );
        const expected = one.finding && `${one.check}: ${one.finding.path} ${one.finding.reason}`;
        t.strictSame(
          warningsIn(told)
            .map((warning) => warning.told)
            .filter((line) => line.startsWith(`${one.check}: `)),
          expected === undefined ? [] : [expected],
          `${one.id}: what is told`,
        );
      }
      if (warns || one.expects === 'pass') continue;
      const { generateName = '' } = one.object?.metadata ?? {};
      const named = (words = '') =>
        generateName === ''
          ? words
          : words.replaceAll(new RegExp(`\\b${generateName}[a-z0-9]{5}\\b`, 'g'), generateName);
      const message = named((body as { message?: string }).message);
      t.match(body, { code: 403, reason: 'Forbidden' }, `${one.id}: ${one.sentence}`);
      t.match(message, `\n  ${one.finding?.path}\n    ${named(one.finding?.reason)}`, `${one.id}: says why`);
      const { operation, object } = one;
      const { status: expected } = await submit(review, { user: cast[one.user], operation, object });
      t.ok(message.endsWith(named(expected?.message ?? '?')), `${one.id}: word for word`, { message, expected });
      const real = await send(one.user, one.object ?? {}, pathOf(one));
      t.equal(named((real.body as { message?: string }).message), message, `${one.id}: without a dry run, too`);
      if (one.fixed === undefined) continue;
      const mended = { ...one, object: applied(one.object ?? {}, one.fixed) };
      const after = await send(one.user, mended.object, `${pathOf(mended)}?dryRun=All`);
      t.equal(after.status, 201, `${one.id}: what the fix says is admitted`, { found: JSON.stringify(after.body) });
    }
  },
  { controllers: false },
);

/** The cases are about borders; with a quota every pod of them would have to say how much memory it needs. */
async function tenantsWithoutQuotas(folder: string): Promise<string> {
  await mkdir(folder);
  for (const file of tenantFolders.flatMap((from) => globSync(`${from}/*.yaml`))) {
    const tenant = parse(await readFile(file, 'utf8'));
    delete tenant.spec.namespaces?.resourceQuota;
    await writeFile(join(folder, basename(file)), JSON.stringify(tenant));
  }
  return folder;
}
