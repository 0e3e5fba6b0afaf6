/** JSON for a terminal, a log or a script: one line, in which nothing is invisible. */

/**
 * A value as one line. JSON itself escapes only U+0000 to U+001F: the control
 * characters above them, and format characters such as bidirectional overrides,
 * are escaped here, so that a terminal that shows the line does what it says.
 */
export const jsonLine = (value: unknown): string => `${jsonText(value)}\n`

/** The same, without its end. */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/[\p{Cf}\u007F-\u009F\u2028\u2029]/gu, escaped)

/** As one or two `\\uXXXX`, which every parser of JSON turns back. */
const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`
  ).join("")
