/** Converts text for terminals and logs that have only ASCII. */

/** True unless the locale says otherwise, as `LC_ALL=C` does. */
export const isUtf8 = (env: Readonly<Record<string, string | undefined>>): boolean => {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || ""
  return locale === "" || /utf-?8/i.test(locale)
}

const instead: Readonly<Record<string, string>> = { "→": "->", "…": "...", "“": '"', "”": '"' }

/** The same text in ASCII. What has no other form is shown as `\\uXXXX`, which is how JSON writes it too. */
export const ascii = (text: string): string => {
  const form = text.startsWith("{") ? escaped : (found: string) => instead[found] ?? escaped(found)
  // oxlint-disable-next-line no-control-regex -- ASCII has them
  return text.replaceAll(/[^\0-\x7F]/g, form)
}

/** A UTF-16 code unit as JSON writes it. */
const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
