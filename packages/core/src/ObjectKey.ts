/**
 * The names that objects can have.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { InvalidRequest } from "./UploadError.ts"

/**
 * OSS: a key has 1 to 1,023 bytes in UTF-8.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxBytes = 1023

/**
 * Checks a key before anything is sent.
 *
 * @category validating
 * @since 0.1.0
 */
export const validate = (key: string): Result.Result<string, InvalidRequest> => {
  const bytes = new TextEncoder().encode(key).length
  if (bytes === 0) return invalid("it is empty", "give the object a name")
  if (bytes > maxBytes) {
    return invalid(`it has ${bytes} bytes`, `OSS takes at most ${maxBytes} bytes in UTF-8`)
  }
  if (!key.isWellFormed()) return invalid("it is not valid Unicode", "remove lone surrogates")
  if (/^[/\\]/.test(key))
    return invalid(`it begins with ${key[0]}`, "OSS does not allow that: leave it out")
  if (key.split("/").some((segment) => segment === "." || segment === "..")) {
    return invalid("it has a segment . or ..", "a URL cannot carry those: choose another name")
  }
  return Result.succeed(key)
}

const invalid = (problem: string, remedy: string) =>
  Result.fail(new InvalidRequest({ field: "key", problem, remedy }))
