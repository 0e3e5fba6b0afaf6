/**
 * Reads the dates of HTTP headers. Effect's parser returns a `DateTime`, and that
 * module alone would be a fiftieth of the code that a page loads.
 *
 * @internal
 */

/**
 * In milliseconds since 1970. Undefined for any format but the one that servers
 * send, `Sun, 06 Nov 1994 08:49:37 GMT`: engines disagree on the others. The
 * name of the day is not checked.
 */
export const httpDate = (text = ""): number | undefined => {
  const millis = Date.parse(text)
  if (Number.isNaN(millis)) return undefined
  return withoutDay(new Date(millis).toUTCString()) === withoutDay(text) ? millis : undefined
}

const withoutDay = (text: string) => text.replace(/^[A-Z][a-z]{2}, /, "")
