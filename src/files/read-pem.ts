/** PEM files, as text. */
import { readFile } from 'node:fs/promises';
import { CertificateError } from '../certificates/key-pair.ts';

/** @throws CertificateError when the file cannot be read */
export async function readPem(path: string): Promise<string> {
  const text = await readPemIfThere(path);
  if (text === undefined) throw new CertificateError(`${path} cannot be read: there is no such file`);
  return text;
}

/**
 * Undefined when there is no such file.
 * @throws CertificateError when it cannot be read, with the cause
 */
export async function readPemIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new CertificateError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
