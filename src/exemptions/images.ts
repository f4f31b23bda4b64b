/** Images, compared as text: nothing is added to a name, and nothing is looked up. */

const words = '[A-Za-z0-9]+([-._]+[A-Za-z0-9]+)*';

/** A registry with its port, a path, a tag and a digest (distribution reference), for RE2 and for JavaScript. */
export const imagePattern = `^${words}(:[0-9]+)?(/${words})*(:[A-Za-z0-9_][-A-Za-z0-9._]*)?(@${words}:[0-9A-Fa-f]+)?$`;
const image = new RegExp(imagePattern);

/** Of what no image is like. */
export const noImage = {
  reason: 'is no image, so nothing matches it',
  fix: 'write a whole image, such as registry.example.com/vpn for every version, or registry.example.com/vpn:1.4',
} as const;

export function isImage(text: string): boolean {
  return image.test(text);
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
