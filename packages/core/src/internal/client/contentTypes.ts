/**
 * The content type that follows from a key. Bundlers for browsers take
 * contentTypes.browser.ts in its place, as package.json tells them.
 *
 * @internal
 */
import mime from "mime"

/** Undefined for what isn't known. */
export const of = (key: string): string | undefined =>
  // With a slash, a key without a dot is not taken for an extension.
  mime.getType(`/${key}`) ?? undefined
