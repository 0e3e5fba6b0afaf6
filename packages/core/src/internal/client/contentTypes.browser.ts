/**
 * What browsers load in place of contentTypes.ts. The table of types would be a
 * tenth of a page, and the browser has one: a `File` knows its type.
 *
 * @internal
 */

/** Nothing follows from a key. */
export const of = (_key: string): string | undefined => undefined
