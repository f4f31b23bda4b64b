/**
 * A folder with an authority of our own and the server certificate it issued: `ca.crt`, `ca.key`, `tls.crt`, `tls.key`.
 * For development and for `serve` without a certificate; several replicas share a Secret instead.
 */
import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { issueAuthority, issueServerCertificate, serverLifetime } from '../certificates/issue-certificate.ts';
import { CertificateError, type KeyPair, parseKeyPair } from '../certificates/key-pair.ts';

export const authorityFiles = { certificate: 'ca.crt', key: 'ca.key' } as const;
export const serverFiles = { certificate: 'tls.crt', key: 'tls.key' } as const;

export interface FolderCertificates {
  /** The authority's certificate, PEM: the caBundle of the webhook configurations. */
  readonly caBundle: string;
  readonly server: KeyPair;
  /** `authority`: authority and certificate are new, and a caBundle installed before is void. `server`: only the certificate is. */
  readonly issued: 'authority' | 'server' | 'nothing';
}

/**
 * The certificates of the folder; makes what is missing. The server certificate is made again at two thirds of its life or when it
 * does not cover the names; the authority only when it has expired, because a new one voids the caBundle that is installed.
 * @throws CertificateError when a file cannot be read as what it should be: keys are never overwritten on a suspicion
 */
export async function ensureCertificates(
  folder: string,
  names: readonly string[],
  now: number,
): Promise<FolderCertificates> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const known = await readPair(folder, authorityFiles);
  const kept = known !== undefined && isValid(known.certificate, now) ? known.pair : undefined;
  const authority = kept ?? issueAuthority(now);
  if (kept === undefined) await writePair(folder, authorityFiles, authority);

  const current = await readServerPair(folder);
  if (current !== undefined && isUsable(current.certificate, authority, names, now)) {
    return { caBundle: authority.certificate, server: current.pair, issued: 'nothing' };
  }

  const server = issueServerCertificate(authority, names, now);
  await writePair(folder, serverFiles, server);
  return { caBundle: authority.certificate, server, issued: kept === undefined ? 'authority' : 'server' };
}

function isUsable(certificate: X509Certificate, authority: KeyPair, names: readonly string[], now: number): boolean {
  return (
    certificate.verify(new X509Certificate(authority.certificate).publicKey) &&
    isValid(certificate, now + serverLifetime / 3) &&
    names.every((name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined)
  );
}

function isValid(certificate: X509Certificate, moment: number): boolean {
  return certificate.validFromDate.getTime() <= moment && moment < certificate.validToDate.getTime();
}

type PairFiles = typeof authorityFiles | typeof serverFiles;
interface FolderPair {
  readonly pair: KeyPair;
  readonly certificate: X509Certificate;
}

async function readPair(folder: string, files: PairFiles): Promise<FolderPair | undefined> {
  const origin = { certificate: join(folder, files.certificate), key: join(folder, files.key) };
  const [certificate, key] = await Promise.all([readIfThere(origin.certificate), readIfThere(origin.key)]);
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    const [there, missing] =
      certificate === undefined ? [origin.key, origin.certificate] : [origin.certificate, origin.key];
    throw new CertificateError(
      `${there} is there, but ${missing} is not. Put it back, or remove ${there} to have both made anew.`,
    );
  }
  const pair = { certificate, key };
  return { pair, certificate: parseKeyPair(pair, origin) };
}

/** The server pair is replaced file by file: after a crash in between, a half or torn pair is made again instead of being an error. */
async function readServerPair(folder: string): Promise<FolderPair | undefined> {
  const [certificate, key] = await Promise.all([
    readIfThere(join(folder, serverFiles.certificate)),
    readIfThere(join(folder, serverFiles.key)),
  ]);
  if (certificate === undefined || key === undefined) return undefined;
  try {
    return await readPair(folder, serverFiles);
  } catch (error) {
    if (error instanceof CertificateError && error.cause === undefined) return undefined;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new CertificateError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

async function writePair(folder: string, files: PairFiles, pair: KeyPair): Promise<void> {
  await writeSecret(join(folder, files.key), pair.key);
  await writeSecret(join(folder, files.certificate), pair.certificate);
}

/** Whole or not at all, and readable by nobody else. */
async function writeSecret(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.new`;
  await writeFile(draft, text, { mode: 0o600 });
  // The mode of writeFile does not apply to a file that was there already.
  await chmod(draft, 0o600);
  await rename(draft, path);
}
