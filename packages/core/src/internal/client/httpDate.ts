/**
 * Reads the dates of HTTP headers. Effect's parser makes a `DateTime`, and that
 * module alone would be a fiftieth of what a page loads.
 *
 * @internal
 */

/**
 * In milliseconds since 1970. Undefined for everything but the one format that
 * servers send, `Sun, 06 Nov 1994 08:49:37 GMT`: engines disagree on the others.
 * The name of the day doesn't have to fit.
 */
export const httpDate = (text = ""): number | undefined => {
  const millis = Date.parse(text)
  if (Number.isNaN(millis)) return undefined
  return withoutDay(new Date(millis).toUTCString()) === withoutDay(text) ? millis : undefined
}

const withoutDay = (text: string) => text.replace(/^[A-Z][a-z]{2}, /, "")
