/**
 * Guesses the content type from a key's extension. Browser bundles use
 * contentTypes.browser.ts instead: see `browser` in package.json.
 *
 * @internal
 */
import mime from "mime"

/** Undefined if the extension is unknown. */
export const of = (key: string): string | undefined =>
  // Without the slash, a key without a dot would count as an extension.
  mime.getType(`/${key}`) ?? undefined
