import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The flags of Node with which the image runs Bulkhead: they bound how much memory is kept for objects that live shortly. */
export async function imageFlags(): Promise<string[]> {
  const dockerfile = await readFile(join(import.meta.dirname, '../../Dockerfile'), 'utf8');
  const [, entrypoint] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  const words: readonly string[] = JSON.parse(entrypoint ?? '[]');
  return words.filter((word) => word.startsWith('--'));
}
