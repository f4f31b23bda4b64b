/** The commands of docs/start.md for clusters that the tests do not have, as far as they can be tried: the tests have no container engine. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const [, section = ''] = readFileSync('docs/start.md', 'utf8').split(/^## 5\. .*\n/m);
const settings = 'manifests/overlays/example/bulkhead.yaml';

for (const [tool, create, load] of [
  ['kind', /^kind create cluster$/, /^kind load docker-image /],
  ['k3d', /^k3d cluster create$/, /^k3d image import /],
  ['minikube', /^minikube start --cni=calico$/, /^minikube image load /],
] as const)
  t.test(`six commands install Bulkhead with ${tool}`, async (t) => {
    const [, text = ''] = new RegExp(`^With \\[?${tool}\\b.*\\n\\n\`\`\`sh\\n([^\`]*)\`\`\``, 'm').exec(section) ?? [];
    const commands = text.trim().split('\n');
    t.equal(commands.length, 6);
    const [build, creates, loads = '', sets = '', apply = '', waits] = commands;
    t.equal(build, `docker build --tag bulkhead:${version} .`);
    t.match(creates, create);
    t.match(loads, load);
    t.ok(loads.endsWith(` bulkhead:${version}`), 'the image that was built is loaded');
    t.match(readFileSync('manifests/base/deployment.yaml', 'utf8'), `image: bulkhead:${version}\n`, 'and run');
    t.ok(existsSync(join(apply.replace('kubectl apply -k ', ''), 'kustomization.yaml')), apply);
    t.equal(waits, 'kubectl -n bulkhead-system rollout status deployment/bulkhead');

    const folder = t.testdir({ manifests: { overlays: { example: {} } } });
    writeFileSync(join(folder, settings), readFileSync(settings));
    t.match(spawnSync('bash', ['-c', sets], { cwd: folder, encoding: 'utf8' }), { status: 0, stderr: '' });
    const { network } = parse(readFileSync(join(folder, settings), 'utf8')).spec;
    const [, row = ''] = new RegExp(`^\\| ${tool} \\| (.*) \\|$`, 'm').exec(section) ?? [];
    const [pods, services, nodes] = row.split(' | ');
    t.match(network, { podCIDRs: [pods], serviceCIDRs: [services], nodeCIDRs: [nodes] }, 'the ranges of the table');
  });
