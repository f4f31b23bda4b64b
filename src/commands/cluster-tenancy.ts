/** A cluster that is read once, with its tenants. */
import type { DecodedObject } from '../client/decode.ts';
import { type RequestingReader, readCluster, Unreadable } from '../facts/cluster-reader.ts';
import { readTenancy } from '../files/read-tenancy.ts';
import type { Tenancy } from '../tenancy/tenancy.ts';
import { CannotStart, orCannotStart } from './cannot-start.ts';
import { locationOf } from './cluster-location.ts';
import type { Surroundings } from './command.ts';
import { type Counting, countingOf } from './progress.ts';

interface Asked {
  readonly tenants: string | undefined;
  readonly config: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

/**
 * The tenants are those of files where these are given, and of objects otherwise.
 *
 * @param use is given what is wrong with the objects, too
 * @throws CannotStart with code 2
 */
export async function inCluster<Result>(
  command: string,
  asked: Asked,
  surroundings: Pick<Surroundings, 'environment' | 'progress'>,
  use: (reader: RequestingReader, tenancy: Tenancy, problems: string[]) => Promise<Result>,
): Promise<Result> {
  const { value: files } = orCannotStart(await readTenancy(asked), 2);
  const reader = readCluster(locationOf(command, asked, surroundings.environment));
  const problems: string[] = [];
  const tell = (_: unknown, message: string): void => void problems.push(message);
  const log = { info: () => {}, warn: tell, error: tell };
  let counting: Counting | undefined;
  try {
    counting = countingOf(surroundings);
    const tenancy = asked.tenants === undefined ? await reader.tenancy(files.settings, log) : files;
    return await use(counted(reader, counting), tenancy, problems);
  } catch (error) {
    throw error instanceof Unreadable ? new CannotStart(error.message, 2) : error;
  } finally {
    counting?.end();
    reader.close();
  }
}

function counted(reader: RequestingReader, { one }: Counting): RequestingReader {
  const also =
    (tell: (object: DecodedObject) => void): typeof tell =>
    (object) => {
      one();
      tell(object);
    };
  return {
    ...reader,
    each: (path, tell) => reader.each(path, also(tell)),
    eachServed: (paths, tell) => reader.eachServed(paths, also(tell)),
  };
}
