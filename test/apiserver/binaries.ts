import { constants } from 'node:fs';
import { access, symlink } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { type Built, buildOnce, exists, type GoProgram, type Missing } from './go-program.ts';

/** Absolute paths of the programs of a control plane. */
export interface Binaries {
  readonly etcd: string;
  readonly kubeApiServer: string;
  readonly kubectl: string;
  /** Not part of the envtest convention, so a folder given by KUBEBUILDER_ASSETS may lack it. */
  readonly kubeControllerManager: string | undefined;
}

const controlPlane: GoProgram = {
  sources: import.meta.dirname,
  cacheName: 'apiserver',
  name: 'control-plane',
  // A program of its own, as tests call it thousands of times: beside the API server it would need half as long again to start.
  beside: { kubectl: './kubectl' },
  from: { module: 'k8s.io/kubernetes', title: 'Kubernetes' },
  // Without the stamps the programs call themselves v0.0.0, and kubectl warns about version skew.
  stamps: ['k8s.io/component-base/version.gitVersion', 'k8s.io/client-go/pkg/version.gitVersion'],
  async complete(folder) {
    for (const link of ['etcd', 'kube-apiserver', 'kube-controller-manager'])
      await symlink('control-plane', join(folder, link));
  },
};

/**
 * The same programs of another Kubernetes, built from `versions/MINOR.mod`.
 *
 * @param minor `1.34`
 * @returns the folder of the programs, as KUBEBUILDER_ASSETS names one
 * @throws when there is no such file, and when the build fails
 */
export async function buildVersion(minor: string): Promise<Built | Missing> {
  return await buildOnce({ ...controlPlane, moduleFile: `versions/${minor}.mod` });
}

/**
 * The programs of `KUBEBUILDER_ASSETS`, or else the ones built from the Go program beside this file.
 *
 * @throws when KUBEBUILDER_ASSETS names a folder without the programs, and when the build fails
 */
export async function findBinaries(): Promise<Binaries | Missing> {
  const assets = process.env.KUBEBUILDER_ASSETS;
  if (assets) return await binariesOfAssets(resolve(assets));
  const built = await buildOnce(controlPlane);
  if ('folder' in built) return await binariesIn(built.folder);
  return {
    missing: `${built.missing}, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl`,
  };
}

async function binariesOfAssets(directory: string): Promise<Binaries> {
  const binaries = await binariesIn(directory);
  for (const path of [binaries.etcd, binaries.kubeApiServer, binaries.kubectl]) {
    await access(path, constants.X_OK).catch(() => {
      const advice = 'put the programs of one Kubernetes version there, or unset it to have them built with Go';
      throw new Error(`KUBEBUILDER_ASSETS is ${directory}, where no program ${basename(path)} is: ${advice}`);
    });
  }
  return binaries;
}

async function binariesIn(directory: string): Promise<Binaries> {
  const controllerManager = join(directory, 'kube-controller-manager');
  return {
    etcd: join(directory, 'etcd'),
    kubeApiServer: join(directory, 'kube-apiserver'),
    kubectl: join(directory, 'kubectl'),
    kubeControllerManager: (await exists(controllerManager)) ? controllerManager : undefined,
  };
}

if (import.meta.main) {
  const found = await findBinaries();
  if ('missing' in found) {
    process.stderr.write(`${found.missing}\n`);
    process.exitCode = 1;
  } else {
    process.stdout.write(`${join(found.etcd, '..')}\n`);
  }
}
