/**
 * Formats amounts, times and names for people: pure functions.
 *
 * @since 0.1.0
 */
/**
 * Formats a number of bytes with one decimal, in powers of 1024.
 *
 * @category amounts
 * @since 0.1.0
 */
export const bytes = (bytes: number): string => {
  if (bytes < 1024) return `${Math.floor(bytes)} B`
  const names = ["KiB", "MiB", "GiB", "TiB"]
  let value = bytes / 1024
  let name = 0
  // A value that rounds up to 1024.0 becomes 1.0 of the next unit.
  while (value >= 1023.95 && name < names.length - 1) {
    value /= 1024
    name++
  }
  return `${value.toFixed(1)} ${names[name]}`
}

/**
 * Formats a duration of `millis` milliseconds.
 *
 * @category amounts
 * @since 0.1.0
 */
export const duration = (millis: number): string => {
  if (millis < 59_950) return `${(millis / 1_000).toFixed(1)} s`
  const seconds = Math.round(millis / 1_000)
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60
  ]
  if (days > 0) return `${days} d ${hours} h`
  if (hours > 0) return `${hours} h ${minutes} min`
  return `${minutes} min ${seconds % 60} s`
}

/**
 * Formats a duration of `millis` milliseconds in whole units, rounded up: for a
 * time left or an age.
 *
 * @category amounts
 * @since 0.1.0
 */
export const wholeDuration = (millis: number): string => {
  const seconds = Math.max(0, Math.ceil(millis / 1_000))
  return seconds < 60 ? `${seconds} s` : duration(seconds * 1_000)
}

/**
 * Makes text safe for one line of a terminal. File names and messages of
 * servers may contain line ends, escape sequences, and invisible characters
 * that reverse the reading direction or hide a difference. Control characters
 * become a space. Invisible characters become their code, such as `\u202e`. A
 * zero-width joiner stays inside an emoji.
 *
 * **Example** (a name that pretends to be a picture)
 *
 * ```ts
 * import { Text } from "@effect-oss/terminal"
 *
 * Text.printable("photo_\u202Egpj.exe") // => "photo_\\u202egpj.exe"
 * ```
 *
 * @category lines
 * @since 0.1.0
 */
export const printable = (text: string): string =>
  text.replaceAll(controls, " ").replaceAll(invisible, escaped)

const controls = /[\p{Cc}\p{Zl}\p{Zp}]+/gu

/** Format characters, lone surrogates, and fillers that are drawn as nothing. */
const invisible =
  /(?<!\p{Extended_Pictographic}\p{Emoji_Modifier}?\uFE0F?)\u200D|\u200D(?!\p{Extended_Pictographic})|(?!\u200D)(?:\p{Cf}|\p{Cs}|\u034F|\u115F|\u1160|\u17B4|\u17B5|\u3164|\uFFA0)/gu

const escaped = (character: string): string => {
  const code = character.codePointAt(0)!.toString(16)
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`
}
