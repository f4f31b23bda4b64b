/**
 * `node .github/release-notes.ts vX.Y.Z` prints the section of that version in CHANGELOG.md. Ends with 1 when the tag is not the version
 * of package.json, and when there is no such section or nothing is in it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @throws with what to do */
export function releaseNotes(tag: string, version: string, changelog: string): string {
  if (tag !== `v${version}`) throw new Error(`the tag is ${tag}, and package.json has ${version}: make them one`);
  const [, ...sections] = changelog.split(/^## /m);
  // "0.2.0 - 2027-01-31", or "0.2.0" alone.
  const section = sections.find((one) => one.split(/\s/, 1)[0] === version);
  if (section === undefined)
    throw new Error(`CHANGELOG.md has no section ${version}: give the section Unreleased this version and the date`);
  const notes = section.slice(section.indexOf('\n')).trim();
  if (notes === '') throw new Error(`the section ${version} of CHANGELOG.md is empty`);
  return `${notes}\n`;
}

if (import.meta.main) {
  const read = (name: string) => readFile(join(import.meta.dirname, '..', name), 'utf8');
  const [, , tag = ''] = process.argv;
  try {
    process.stdout.write(releaseNotes(tag, JSON.parse(await read('package.json')).version, await read('CHANGELOG.md')));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
