/** Whether the version of the network plugin or mesh has a known hole in its isolation. */
import type { DoctorCheck } from './check.ts';
import { type InstalledProgram, installedPrograms } from './installed.ts';
import { type Advisory, advisoriesAsOf, knownAdvisories } from './known-advisories.ts';
import { compareVersions, parseVersion, type Version } from './version.ts';

export const advisories: DoctorCheck = {
  about: 'versions of network plugins and meshes',
  findings: {
    'network-plugin-advisory': {
      severity: 'error',
      meaning: 'an advisory about isolation covers the version of the network plugin or mesh',
      fix: 'upgrade it to a version that the advisory names as fixed',
    },
    'network-plugin-version-unknown': {
      severity: 'note',
      meaning: 'the image of a network plugin or mesh has no version in its tag, so no advisory can be looked up',
      fix: 'compare its version with the advisories of its maker',
    },
  },
  async look(examination) {
    for (const kind of ['DaemonSet', 'Deployment'] as const)
      for (const one of (await installedPrograms(examination, kind))?.programs ?? []) judge(one, examination.found);
  },
};

function judge(one: InstalledProgram, found: Parameters<DoctorCheck['look']>[0]['found']): void {
  const { where, tag, version, program } = one;
  const rows = knownAdvisories.filter((advisory) => advisory.program === program.program);
  if (rows.length === 0) return;
  if (version === undefined) {
    const why = tag === undefined ? 'none of its images tells the version by a tag' : `the tag ${tag} is no version`;
    found('network-plugin-version-unknown', { where, why });
    return;
  }
  for (const advisory of rows) {
    const fixed = fixedFor(version, advisory);
    if (fixed !== undefined)
      found('network-plugin-advisory', {
        where: `${where}, version ${tag}`,
        why: `${advisory.id}: ${advisory.effect} (list of ${advisoriesAsOf}; ${advisory.source})`,
        fix: `upgrade ${program.program} to ${fixed} or later`,
      });
  }
}

/** The version in which it is fixed, when this one is affected. */
export function fixedFor(version: Version, { affected }: Pick<Advisory, 'affected'>): string | undefined {
  return affected.find(({ from, fixed }) => {
    const [first, end] = [parseVersion(from ?? '0'), parseVersion(fixed)];
    if (first === undefined || end === undefined) return false;
    // An early build of the first affected version is affected, too.
    const begins = compareVersions(version, { ...first, isEarly: true }) >= 0;
    return begins && compareVersions(version, end) < 0;
  })?.fixed;
}
