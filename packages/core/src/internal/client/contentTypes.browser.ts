/**
 * Replaces contentTypes.ts in browsers. The table of types would be a tenth of
 * the code that a page loads, and a browser's `File` already has its type.
 *
 * @internal
 */

/** Always undefined: the key is not used. */
export const of = (_key: string): string | undefined => undefined
