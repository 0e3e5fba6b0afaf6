/**
 * The name of an object in its bucket. This module is pure, and it knows which
 * names OSS accepts and which of those a URL carries unchanged.
 */
import * as Result from "effect/Result"
import { InvalidRequest } from "../UploadError.ts"

/** OSS: a key has at most 1,023 bytes in UTF-8. */
const maxLength = 1023

/**
 * Checks a key. A key that passes arrives at OSS byte for byte.
 */
export const validate = (key: string): Result.Result<string, InvalidRequest> => {
  const found = flaws.find(({ has }) => has(key))
  return found === undefined
    ? Result.succeed(key)
    : Result.fail(
        new InvalidRequest({ field: "key", problem: found.problem, remedy: found.remedy })
      )
}

interface Flaw {
  readonly has: (key: string) => boolean
  readonly problem: string
  readonly remedy: string
}

const flaws: ReadonlyArray<Flaw> = [
  {
    has: (key) => key === "",
    problem: "it is empty, which names the bucket itself",
    remedy: "give a key of 1 to 1023 bytes"
  },
  {
    // UTF-8 takes at most three bytes for each code unit, so short keys needn't be encoded.
    has: (key) => key.length * 3 > maxLength && new TextEncoder().encode(key).length > maxLength,
    problem: "it has more bytes in UTF-8 than OSS takes",
    remedy: `give a key of at most ${maxLength} bytes`
  },
  {
    has: (key) => key.startsWith("/") || key.startsWith("\\"),
    problem: "OSS refuses keys that begin with a slash or a backslash",
    remedy: "leave out the first character"
  },
  {
    has: (key) => /(^|\/)\.\.?(\/|$)/.test(key),
    problem: 'URLs drop the segments "." and "..", so that another object would be written',
    remedy: "give the path without them"
  },
  {
    has: (key) => /\p{Surrogate}/u.test(key),
    problem: "it has half of a surrogate pair, which UTF-8 can't express",
    remedy: "give well-formed text"
  }
]
