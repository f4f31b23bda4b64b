/** Plays the scenes of the demo and prints them. What runs kubectl is given: a stand-in, or the real one. */
import { namespaceNameLabel } from '../kubernetes/objects.ts';
import { type Person, type Scene, scenes } from './scenes.ts';

export interface Ran {
  /** Exit code of kubectl. */
  readonly code: number;
  /** Everything it printed. */
  readonly output: string;
}

export interface Stage {
  kubectl(person: Person, command: readonly string[]): Promise<Ran>;
  /** Labels of the object in that file, as stored. */
  labelsOf(file: string): Promise<Readonly<Record<string, string>>>;
}

/** @returns whether every scene ended as it should */
export async function tell(stage: Stage, print: (line: string) => void): Promise<boolean> {
  let asExpected = 0;
  for (const [index, scene] of scenes.entries()) {
    print(`${index + 1}. ${scene.tells}`);
    print(`   $ ${commandLine(scene)}`);
    const { code, output } = await stage.kubectl(scene.person, scene.command);
    for (const line of output.trimEnd().split('\n')) print(line.trimEnd());
    const [verb, , file] = scene.command;
    if (code === 0 && verb === 'apply' && file !== undefined)
      print(`  labels: ${formatLabels(await stage.labelsOf(file))}`);
    const ended = code === 0 ? 'admitted' : 'refused';
    if (ended === scene.ends) asExpected++;
    else print(`!! this should have been ${scene.ends}`);
    print('');
  }
  const refused = scenes.filter(({ ends }) => ends === 'refused').length;
  print(
    `${scenes.length} commands, ${asExpected} ended as they should: ${scenes.length - refused} admitted, ${refused} refused.`,
  );
  return asExpected === scenes.length;
}

function commandLine({ person, command }: Scene): string {
  const groups = person.groups.map((group) => ` --as-group ${group}`).join('');
  return `kubectl --as ${person.name}${groups} ${command.join(' ')}`;
}

function formatLabels(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .filter(([key]) => key !== namespaceNameLabel)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}
