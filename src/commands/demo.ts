/**
 * Bulkhead at work, without a cluster: the real HTTPS server on loopback with certificates of its own and the example
 * tenants; beside it a stand-in that asks it what an API server would ask.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createAdmission } from '../admission/admission.ts';
import { createNamespaceStore } from '../admission/namespace-store.ts';
import { makeCertificates } from '../files/certificate-folder.ts';
import { readTenancy } from '../files/read-tenancy.ts';
import { sourceOf } from '../files/watch-namespaces.ts';
import { createLog } from '../server/log.ts';
import { createMetrics } from '../server/metrics.ts';
import { createWebhookServer } from '../server/webhook-server.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { defineCommand } from './command.ts';
import { type Ask, createStandIn } from './stand-in.ts';
import { tell } from './tell.ts';

export const command = defineCommand({
  summary: 'show requests that are admitted and rejected; needs no cluster',
  options: {},
  run: async (_, { print }) => ((await demo(print)) ? 0 : 1),
});

/** The project's folder, from wherever the demo is called. */
const root = join(import.meta.dirname, '../..');
const examples = {
  tenants: join(root, 'manifests/overlays/example/tenants'),
  config: join(root, 'manifests/overlays/example/bulkhead.yaml'),
};

/**
 * @returns whether everything ended as it should
 * @throws CannotStart
 */
export async function demo(print: (line: string) => void): Promise<boolean> {
  if (!existsSync(examples.config))
    throw new CannotStart(
      'the demo shows the examples of the project, which are not here: run npm run demo in a checkout, or the image with the argument demo',
    );
  const { value } = orCannotStart(await readTenancy(examples));
  const tenancy = () => value;
  const namespaces = createNamespaceStore(tenancy);
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-demo-'));
  try {
    const { caBundle, server: certificate } = await makeCertificates(folder, ['127.0.0.1'], Date.now());
    const { log } = createLog('silent');
    const review = createAdmission({
      tenancy,
      namespaces: sourceOf(namespaces),
      onDefect: (error) => print(`!! ${String(error)}`),
    });
    const server = createWebhookServer({
      review,
      observes: () => false,
      certificate,
      host: '127.0.0.1',
      port: 0,
      log,
      metrics: createMetrics(),
    });
    const { port } = await server.listen();
    const agent = new Agent({ ca: caBundle, keepAlive: true });
    try {
      print(
        `Bulkhead answers on loopback, for the tenants ${[...value.tenants.keys()].join(', ')}. Nothing leaves this machine.`,
      );
      print('');
      return await tell(createStandIn(asking(agent, port), tenancy, namespaces, root), print);
    } finally {
      agent.destroy();
      await server.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

function asking(agent: Agent, port: number): Ask {
  return async (phase, review) => {
    const sent = request({ agent, host: '127.0.0.1', port, method: 'POST', path: `/${phase}?timeout=5s` });
    sent.end(JSON.stringify(review));
    const [answer] = await once(sent, 'response');
    return JSON.parse(await text(answer)).response;
  };
}
