/** Images, compared as text: nothing is added to a name, and nothing is looked up. */

const words = '[A-Za-z0-9]+([-._]+[A-Za-z0-9]+)*';

/** A registry with its port, a path, a tag and a digest (distribution reference), for the API server (RE2). */
export const imagePattern = `^${words}(:[0-9]+/${words})?(/${words})*(:[A-Za-z0-9_][-A-Za-z0-9._]*)?(@${words}:[0-9A-Fa-f]+)?$`;

/** Of what no image is like. */
export const noImage = {
  reason: 'is no image, so nothing matches it',
  fix: 'write a whole image, such as registry.example.com/vpn for every version, or registry.example.com/vpn:1.4',
} as const;

/** What {@link imagePattern} matches, part by part: as one expression it would read a text in many ways. */
export function isImage(text: string): boolean {
  const [name = '', digest, ...more] = text.split('@');
  if (more.length > 0 || (digest !== undefined && !isDigest(digest))) return false;
  const parts = name.split('/');
  return parts.every((part, index) => {
    const [own = '', suffix, ...others] = part.split(':');
    if (!isWords(own) || others.length > 0) return false;
    if (suffix === undefined) return true;
    return index === parts.length - 1
      ? /^[A-Za-z0-9_][-A-Za-z0-9._]*$/.test(suffix)
      : index === 0 && /^[0-9]+$/.test(suffix);
  });
}

function isDigest(text: string): boolean {
  const [algorithm = '', hash = '', ...more] = text.split(':');
  return more.length === 0 && isWords(algorithm) && /^[0-9A-Fa-f]+$/.test(hash);
}

function isWords(text: string): boolean {
  return /^[A-Za-z0-9]+(?:[-._]+[A-Za-z0-9]+)*$/.test(text);
}

/** What may follow an image without tag and digest. No slash: `registry.example:5000/other` is not of `registry.example`. */
export const anyVersion = /^[:@][^/]*$/;

/** Whether the entry ends in a tag or digest; then it means that very text. */
export function hasVersion(entry: string): boolean {
  return /[:@]/.test(entry.slice(entry.lastIndexOf('/') + 1));
}

export function isImageOf(entry: string, image: string): boolean {
  if (image === entry) return true;
  return !hasVersion(entry) && image.startsWith(entry) && anyVersion.test(image.slice(entry.length));
}
