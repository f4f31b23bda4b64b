/**
 * Bulkhead at work, without a cluster: the real HTTPS server on loopback with certificates of its own and the example
 * tenants; beside it a stand-in that asks it what an API server would ask.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdmission } from '../admission/admission.ts';
import type { Phase } from '../admission/decision.ts';
import { createNamespaceStore } from '../admission/namespace-store.ts';
import { makeCertificates } from '../files/certificate-folder.ts';
import { readTenancy } from '../files/read-tenancy.ts';
import { createLog } from '../server/log.ts';
import { createMetrics } from '../server/metrics.ts';
import { createWebhookServer } from '../server/webhook-server.ts';
import { formatProblem } from '../tenancy/problem.ts';
import { defineCommand } from './command.ts';
import { type Ask, type ReviewResponse, StandIn } from './stand-in.ts';
import { tell } from './tell.ts';

export const command = defineCommand({
  summary: 'show requests that are admitted and rejected; needs no cluster',
  options: {},
  run: async (_, { print }) => ((await demo(print)) ? 0 : 1),
});

/** The project's folder, from wherever the demo is called. */
const root = join(import.meta.dirname, '../..');
const examples = {
  tenants: join(root, 'manifests/examples/tenants'),
  config: join(root, 'manifests/examples/bulkhead.yaml'),
};

/** @returns whether everything ended as it should */
export async function demo(print: (line: string) => void): Promise<boolean> {
  const loaded = await readTenancy(examples);
  if (!loaded.ok) {
    for (const problem of loaded.problems) print(formatProblem(problem));
    return false;
  }
  const tenancy = () => loaded.value;
  const namespaces = createNamespaceStore(tenancy);
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-demo-'));
  try {
    const { caBundle, server: certificate } = await makeCertificates(folder, ['127.0.0.1'], Date.now());
    const { log } = createLog('silent');
    const review = createAdmission({
      tenancy,
      namespaces: {
        ...namespaces,
        isFree: (name) => namespaces.lookup(name) === undefined,
        fetch: async (name) => namespaces.lookup(name),
        hasPods: async () => true,
      },
      onDefect: (error) => print(`!! ${String(error)}`),
    });
    const server = createWebhookServer({
      review,
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
        `Bulkhead answers on loopback, for the tenants ${[...loaded.value.tenants.keys()].join(', ')}. Nothing leaves this machine.`,
      );
      print('');
      return await tell(new StandIn(asking(agent, port), tenancy, namespaces, root), print);
    } finally {
      agent.destroy();
      await server.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

function asking(agent: Agent, port: number): Ask {
  return (phase: Phase, review: unknown) =>
    new Promise<ReviewResponse>((resolve, reject) => {
      const sent = request(
        { agent, host: '127.0.0.1', port, method: 'POST', path: `/${phase}?timeout=5s` },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => {
            text += chunk;
          });
          answer.on('error', reject);
          answer.on('end', () => resolve(JSON.parse(text).response));
        },
      );
      sent.on('error', reject);
      sent.setHeader('content-type', 'application/json');
      sent.end(JSON.stringify(review));
    });
}
