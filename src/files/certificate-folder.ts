/**
 * A folder with an authority of our own and the server certificate it issued: `ca.crt`, `ca.key`, `tls.crt`, `tls.key`.
 * For development and for `serve` without a certificate; several replicas share a Secret instead.
 */
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { issueAuthority, issueServerCertificate } from '../certificates/issue-certificate.ts';
import { CertificateError, type KeyPair, parseKeyPair } from '../certificates/key-pair.ts';
import { readPemIfThere } from './read-pem.ts';

export const authorityFiles = { certificate: 'ca.crt', key: 'ca.key' } as const;
export const serverFiles = { certificate: 'tls.crt', key: 'tls.key' } as const;

export interface FolderCertificates {
  /** The authority's certificate, PEM: the caBundle of the webhook configurations. */
  readonly caBundle: string;
  readonly server: KeyPair;
  /** Whether the authority is new, which voids a caBundle that was installed before; or the server certificate alone. */
  readonly issued: 'authority' | 'server';
}

/**
 * Issues a server certificate. The authority of the folder stays until it expires; where there is none, one is made.
 * @throws CertificateError when the authority cannot be read as what it should be: keys are never overwritten on a suspicion
 */
export async function makeCertificates(
  folder: string,
  names: readonly string[],
  now: number,
): Promise<FolderCertificates> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const known = await readAuthority(folder, now);
  const authority = known ?? issueAuthority(now);
  if (known === undefined) await writePair(folder, authorityFiles, authority);
  const server = issueServerCertificate(authority, names, now);
  await writePair(folder, serverFiles, server);
  return { caBundle: authority.certificate, server, issued: known === undefined ? 'authority' : 'server' };
}

/** Undefined where there is none that is valid. */
async function readAuthority(folder: string, now: number): Promise<KeyPair | undefined> {
  const origin = { certificate: join(folder, authorityFiles.certificate), key: join(folder, authorityFiles.key) };
  const [certificate, key] = await Promise.all([readPemIfThere(origin.certificate), readPemIfThere(origin.key)]);
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    const [there, missing] =
      certificate === undefined ? [origin.key, origin.certificate] : [origin.certificate, origin.key];
    throw new CertificateError(
      `${there} is there, but ${missing} is not. Put it back, or remove ${there} to have both made anew.`,
    );
  }
  const pair = { certificate, key };
  const { validFromDate, validToDate } = parseKeyPair(pair, origin);
  return validFromDate.getTime() <= now && now < validToDate.getTime() ? pair : undefined;
}

async function writePair(
  folder: string,
  files: typeof authorityFiles | typeof serverFiles,
  pair: KeyPair,
): Promise<void> {
  await writeSecret(join(folder, files.key), pair.key);
  await writeSecret(join(folder, files.certificate), pair.certificate);
}

/** Written as a whole or not at all, and readable by this user only. */
async function writeSecret(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  await writeFile(draft, text, { mode: 0o600 });
  // The mode of writeFile does not apply to a file that was there already.
  await chmod(draft, 0o600);
  await rename(draft, path);
}
