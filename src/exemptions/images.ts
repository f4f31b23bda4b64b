/** Images, compared as text: nothing is added to a name, and nothing is looked up. */

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
