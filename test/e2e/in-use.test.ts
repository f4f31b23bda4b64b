/** docs/in-use.md, executed: a cluster in use goes from observe to enforce, and none of its workloads is lost on the way. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Test } from 'tap';
import { parse, stringify } from 'yaml';
import type { Running } from '../../src/commands/replica.ts';
import type { ControlPlane } from '../apiserver/control-plane.ts';
import { networkKindsTest } from '../apiserver/stored-definitions.ts';
import { eventually } from '../soak/observer.ts';
import { applyConfigurations, everybodyMayDoEverything, startBulkhead } from './guarded-cluster.ts';
import { sendAttacks, sendLaterAttacks } from './in-use-attacks.ts';
import { isComplete } from './in-use-complete.ts';
import { replayRest, replayUnmutated } from './in-use-later.ts';
import { createLedger } from './in-use-ledger.ts';
import { replay, replayChanges } from './in-use-replay.ts';
import { injectors, installInjector } from './mesh-injector.ts';
import { projectFolder } from './project-folder.ts';

/** Every pod that the workloads of the page have, by namespace. */
const workloads: Readonly<Record<string, number>> = {
  'acme-data': 3,
  'beta-shop': 2,
  'delta-net': 1,
  'epsilon-web': 2,
  'gamma-lab': 1,
};

interface Block {
  /** The number of its step; 0 before the first. */
  readonly step: number;
  readonly language: string;
  readonly text: string;
}

async function blocksOf(page: string): Promise<readonly Block[]> {
  let step = 0;
  const parts = (await readFile(page, 'utf8')).matchAll(/^## (\d)\.|^```(sh|yaml|text)\n([\s\S]*?)^```$/gm);
  return [...parts].flatMap(([, heading, language = '', text = '']) => {
    if (heading === undefined) return { step, language, text };
    step = Number(heading);
    return [];
  });
}

type Value = Readonly<Record<string, unknown>>;

/** Maps of the later one go into those of the earlier one. */
function merged(one: Value, other: Value): Value {
  const result: Record<string, unknown> = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const before = result[key];
    const both = [before, value].every((part) => typeof part === 'object' && part !== null && !Array.isArray(part));
    result[key] = both ? merged(before as Value, value as Value) : value;
  }
  return result;
}

await networkKindsTest('a cluster in use, from observe to enforce', async (t, plane) => {
  const shell = await projectFolder(t, plane);
  const blocks = await blocksOf('docs/in-use.md');
  const config = `${plane.directory}/settings.yaml`;
  let settings: Value = {};
  let running: Running | undefined;
  let printed = '';
  t.teardown(() => running?.stop());
  for (const injector of injectors.filter(({ mesh }) => mesh === 'istio'))
    await installInjector(plane, injector, { 'istio-injection': 'enabled' });

  const execute = async (t: Test, { language, text }: Block): Promise<void> => {
    if (language === 'yaml') {
      settings = merged(settings, parse(text));
      await writeFile(config, stringify(settings));
    } else if (language === 'sh') {
      const { code, stdout, stderr } = await shell(`set -e\n${text.replaceAll('settings.yaml', config)}`);
      printed = stdout;
      t.equal(code, 0, text, { stdout, stderr });
    } else {
      const lines = text.trim().split('\n');
      for (const line of lines) t.ok(printed.includes(line), `it prints: ${line}`, { printed });
    }
  };
  const step = async (number: number, name: string, check: (t: Test) => Promise<void>): Promise<void> => {
    await t.test(name, async (t) => {
      for (const block of blocks.filter((one) => one.step === number)) {
        // Installed as docs/how-to/install.md says, once the settings and the tenants are there.
        if (running === undefined && block.text.includes('kubectl label namespace'))
          running = await install(plane, config);
        await execute(t, block);
      }
      await check(t);
      await rollOut(t, plane);
    });
  };

  const messages = async (namespace: string, reason: string): Promise<readonly string[]> => {
    const { body } = await plane.request('GET', `/api/v1/namespaces/${namespace}/events`);
    const { items } = body as { readonly items: readonly { readonly reason: string; readonly message: string }[] };
    return items.filter((event) => event.reason === reason).map(({ message }) => message);
  };
  const projectCalled = async (name: string) => {
    const project = (await readFile('manifests/examples/in-use/project.yaml', 'utf8')).replace('gamma-lab', name);
    const as = ['--as', 'system:serviceaccount:portal:controller'];
    return plane.kubectl(plane.adminKubeconfig, [...as, 'create', '-f', '-'], { stdin: project });
  };

  await step(0, 'the cluster as it was', async () => {});
  await step(1, 'observe', async (t) => {
    await eventually('the API server asks Bulkhead', async () => {
      const { stderr } = await projectCalled('gamma-observed');
      return stderr.includes('would refuse') || (await remove(plane, 'gamma-observed'));
    });
    t.equal(await failurePolicies(plane), 'Ignore');
    await eventually(
      'the portal is named',
      async () => (await messages('bulkhead-system', 'ReservedKeyWritten')).length > 0,
    );
    t.match(
      (await messages('bulkhead-system', 'ReservedKeyWritten')).join(),
      'system:serviceaccount:portal:controller',
    );
    await rollOut(t, plane);
    for (const namespace of Object.keys(workloads)) {
      const told = (await messages(namespace, 'WouldBeRefused')).join();
      const expected =
        namespace === 'delta-net' ? / would be refused in mode enforce \(delta is in mode audit\): / : /^$/;
      t.match(told, expected, `in ${namespace} nothing breaks an identity`);
    }
  });
  await step(2, 'audit', async () => {});
  await step(3, 'grants', async () => {});
  await step(4, 'enforce, every tenant in mode audit', async (t) => {
    await eventually('the webhooks fail closed', async () => (await failurePolicies(plane)) === 'Fail');
    const bindings = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings';
    const { items } = (await plane.request('GET', bindings)).body as {
      items: { metadata: { name: string }; spec: { validationActions: string[] } }[];
    };
    const backstop = items.filter(({ metadata }) => metadata.name.startsWith('bulkhead-'));
    t.ok(backstop.length > 10, `${backstop.length} bindings of the backstop`);
    for (const { metadata, spec } of backstop) t.strictSame(spec.validationActions, ['Deny'], metadata.name);
    const { code, stderr } = await projectCalled('gamma-new');
    t.equal(code, 0, stderr);
    const portal = ['--as', 'system:serviceaccount:portal:controller'];
    const rename = ['annotate', 'namespace', 'gamma-lab', 'openshift.io/display-name=New', '--overwrite'];
    t.match(
      await plane.kubectl(plane.adminKubeconfig, [...portal, ...rename]),
      { code: 0 },
      'the portal renames its older one',
    );
    const { body } = await plane.request('GET', '/api/v1/namespaces/gamma-new');
    t.match(body, { metadata: { labels: { 'bulkhead.dev/tenant': 'gamma' } } }, 'what the portal creates is gina’s');
  });
  await step(5, 'every tenant in mode warn', async (t) => {
    for (const namespace of Object.keys(workloads))
      await eventually(
        `${namespace} is told what comes`,
        async () => (await messages(namespace, 'BaselineWithheld')).length > 0,
      );
    t.pass('each namespace has the Event');
  });
  await step(6, 'every tenant in mode enforce', async (t) => {
    for (const namespace of Object.keys(workloads)) {
      const path = `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies/bulkhead-default-deny`;
      await eventually(`${namespace} is isolated`, async () => (await plane.request('GET', path)).status === 200);
    }
    t.pass('each namespace has its default-deny policy');
  });

  await everybodyMayDoEverything(plane);
  const ledger = await createLedger(plane);
  const configure = (value: object) => writeFile(config, stringify(value));
  await t.test('and attacks are refused', (t) => sendAttacks(t, ledger));
  await t.test('and so is what the catalogue creates', (t) => replay(t, ledger));
  await t.test('and what it changes and deletes', (t) => replayChanges(t, ledger));
  await t.test('and the rest, with other settings and tenants', (t) => replayRest(t, ledger, configure));
  await t.test('and attacks on them', (t) => sendLaterAttacks(t, ledger, configure));
  await t.test('and what no mutating webhook has seen', (t) => replayUnmutated(t, ledger));
  await t.test('nothing is left out', async (t) => isComplete(t, ledger));
});

async function install(plane: ControlPlane, config: string): Promise<Running> {
  // Its manifests have them; rights and Deployment are those of docs/how-to/install.md.
  for (const name of ['bulkhead-system', 'bulkhead-probe'])
    await plane.request('POST', '/api/v1/namespaces', { metadata: { name } });
  const others = { config, tenants: undefined, managesWebhooks: true } as const;
  const running = await startBulkhead(plane, plane.adminKubeconfig, others);
  await applyConfigurations(plane, running.ports.webhook, `${plane.directory}/certificates/ca.crt`);
  return running;
}

async function failurePolicies(plane: ControlPlane): Promise<string> {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const { body } = await plane.request('GET', path);
  const { items } = body as { items: { webhooks: { name: string; failurePolicy: string }[] }[] };
  const guarding = items.flatMap(({ webhooks }) => webhooks).filter(({ name }) => !name.startsWith('warn.'));
  return [...new Set(guarding.map(({ failurePolicy }) => failurePolicy))].sort().join();
}

interface Pods {
  readonly items: readonly { readonly metadata: { readonly uid: string; readonly deletionTimestamp?: string } }[];
}

/** Deletes every pod of the tenants, and waits until the controllers have created as many again. */
async function rollOut(t: Test, plane: ControlPlane): Promise<void> {
  for (const [namespace, count] of Object.entries(workloads)) {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const list = async () => ((await plane.request('GET', path)).body as Pods).items;
    await eventually(`${namespace} has ${count} pods`, async () => (await list()).length === count);
    const before = new Set((await list()).map(({ metadata }) => metadata.uid));
    await plane.request('DELETE', `${path}?gracePeriodSeconds=0`);
    await eventually(`${namespace} has ${count} new pods`, async () => {
      const now = await list();
      return now.length === count && now.every(({ metadata }) => !before.has(metadata.uid));
    });
    t.pass(`${namespace} has all its pods again`);
  }
}

/** @returns false, for whoever waits for something else */
async function remove(plane: ControlPlane, namespace: string): Promise<false> {
  await plane.request('DELETE', `/api/v1/namespaces/${namespace}`);
  return false;
}
