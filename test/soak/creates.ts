/**
 * Creates that never stop: pods and policies of a tenant, through the API server, every other one only for show (`dryRun=All`).
 * Sent at their time whether or not those before are answered, so that what hangs holds nothing up; every few seconds many at once,
 * so that the API server opens more connections to the webhook than it keeps, and keeps some that lie idle for long.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../apiserver/control-plane.ts';

export interface Create {
  /** By `performance.now()`: when it was due. */
  readonly startedAt: number;
  readonly milliseconds: number;
  /** Undefined when the API server did as it was told; else what it said. */
  readonly failure: string | undefined;
}

export interface Creates {
  /** Those that are answered, in the order of their answers. */
  readonly done: readonly Create[];
  /** So many more at once. */
  burst(count: number): void;
  /** Resolves when all that were sent before it is called are answered. */
  answered(): Promise<void>;
  /** Resolves when all are answered. */
  stop(): Promise<void>;
}

export interface CreatesOptions {
  readonly plane: ControlPlane;
  /** In whose name. */
  readonly kubeconfig: string;
  readonly namespaces: readonly string[];
  readonly perSecond: number;
  readonly burst: { readonly everySeconds: number; readonly count: number };
}

/** Beyond so many without an answer nothing is sent: the load is bounded, whatever happens. */
const mostAtOnce = 400;

const containers = [{ name: 'main', image: 'example.org/web' }];
const kinds = [
  { path: '/api/v1/namespaces/NAMESPACE/pods', rest: { spec: { containers } } },
  {
    path: '/apis/networking.k8s.io/v1/namespaces/NAMESPACE/networkpolicies',
    rest: { spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] } },
  },
];

export function startCreates(options: CreatesOptions): Creates {
  const { plane, kubeconfig, namespaces, perSecond } = options;
  const done: Create[] = [];
  const open = new Set<Promise<void>>();
  let count = 0;
  let ending = false;

  async function send(method: string, path: string, body: unknown, startedAt: number): Promise<boolean> {
    const answer = await plane.request(method, path, body, { kubeconfig }).catch((error: unknown) => String(error));
    const good = typeof answer !== 'string' && answer.status <= 201;
    const failure = typeof answer === 'string' ? answer : `${answer.status} ${answer.text}`;
    done.push({ startedAt, milliseconds: performance.now() - startedAt, failure: good ? undefined : failure });
    return good;
  }

  async function create(index: number, startedAt: number): Promise<void> {
    const { path, rest } = kinds[index % kinds.length] ?? { path: '', rest: {} };
    const collection = path.replace('NAMESPACE', namespaces[index % namespaces.length] ?? '');
    const name = `soak-${index}`;
    const dry = Math.floor(index / kinds.length) % 2 === 0;
    const made = await send(
      'POST',
      `${collection}${dry ? '?dryRun=All' : ''}`,
      { metadata: { name }, ...rest },
      startedAt,
    );
    if (made && !dry) await send('DELETE', `${collection}/${name}?gracePeriodSeconds=0`, undefined, performance.now());
  }

  function begin(startedAt: number): void {
    if (open.size >= mostAtOnce) {
      done.push({ startedAt, milliseconds: 0, failure: `${mostAtOnce} requests are without an answer already` });
      return;
    }
    const one = create(count++, startedAt).finally(() => open.delete(one));
    open.add(one);
  }

  function burst(size: number): void {
    const now = performance.now();
    for (let index = 0; index < size; index++) begin(now);
  }

  const start = performance.now();
  async function pace(): Promise<void> {
    const burstEvery = options.burst.everySeconds * perSecond;
    for (let index = 0; !ending; index++) {
      const due = start + (index * 1000) / perSecond;
      await sleep(Math.max(0, due - performance.now()));
      begin(due);
      if (index % burstEvery === burstEvery - 1) burst(options.burst.count);
    }
  }
  const pacing = pace();
  return {
    done,
    burst,
    async answered() {
      await Promise.all(open);
    },
    async stop() {
      ending = true;
      await pacing;
      await Promise.all(open);
    },
  };
}
