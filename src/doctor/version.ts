/** Versions of programs, by the tags of their images. */

/** The leading numbers, and whether it comes before the release of these numbers. */
export interface Version {
  readonly numbers: readonly number[];
  readonly isEarly: boolean;
}

/** No version is longer; a longer text is not a version. */
const longest = 64;

/** `v1.17.3`, `1.18.0-rc.1`, `v3.28.1-eksbuild.2`, `v20240813-c6f155d6`. Undefined: it does not begin with a number. */
export function parseVersion(text: string): Version | undefined {
  const version = text.slice(text.startsWith('v') ? 1 : 0, longest);
  const [leading = ''] = version.split(/[^\d.]/, 1);
  const numbers = leading.split('.');
  if (numbers.length > 4 || !numbers.every((number) => /^\d{1,9}$/.test(number))) return undefined;
  const isEarly = /^-(?:alpha|beta|rc|pre|snapshot|dev)/i.test(version.slice(leading.length));
  return { numbers: numbers.map(Number), isEarly };
}

/** Negative: `one` is older. Missing numbers count as 0. */
export function compareVersions(one: Version, other: Version): number {
  for (let index = 0; index < Math.max(one.numbers.length, other.numbers.length); index++) {
    const difference = (one.numbers[index] ?? 0) - (other.numbers[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return Number(other.isEarly) - Number(one.isEarly);
}

/** The tag of an image: `registry:5000/cilium/cilium:v1.17.3@sha256:…` -> `v1.17.3`. Undefined: it has none. */
export function tagOf(image: string): string | undefined {
  const [named = ''] = image.split('@');
  const last = named.slice(named.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  return colon < 0 ? undefined : last.slice(colon + 1);
}

/** The name of an image without registry and tag: `registry:5000/cilium/cilium:v1.17.3` -> `cilium`. */
export function baseName(image: string): string {
  const [named = ''] = image.split('@');
  const [base = ''] = named.slice(named.lastIndexOf('/') + 1).split(':');
  return base;
}
