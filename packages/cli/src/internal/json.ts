/** Writes JSON for terminals, logs and scripts: one line without invisible characters. */

/**
 * Writes a value as one line. JSON escapes only U+0000 to U+001F. This also
 * escapes the other control characters and format characters such as
 * bidirectional overrides, so a terminal shows the line as it is.
 */
export const jsonLine = (value: unknown): string => `${jsonText(value)}\n`

/** The JSON without the newline. */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/[\p{Cf}\u007F-\u009F\u2028\u2029]/gu, escaped)

/** Escapes a character as one or two `\\uXXXX`, which every JSON parser reads back. */
const escaped = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`
  ).join("")
