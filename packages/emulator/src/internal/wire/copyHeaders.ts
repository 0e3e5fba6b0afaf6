/** The headers of a copy: those of its source, those of its own request, or both. */
import * as Result from "effect/Result"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid } from "./errors.ts"

type Headers = Readonly<Record<string, string>>

/**
 * OSS: without directives a copy keeps the headers and tags of its source.
 * `REPLACE` keeps only the content type, which a request may replace. A
 * directive in lower case, as in Python v2's own tests, adds the request's
 * headers to the source's.
 */
export const headersOfCopy = (
  request: Readonly<Record<string, string | undefined>>,
  source: Headers,
  given: Headers
): Result.Result<Headers, Refusal> =>
  Result.gen(function* () {
    const metadata = yield* directiveOf(request, "x-oss-metadata-directive")
    const tagging = yield* directiveOf(request, "x-oss-tagging-directive")
    const tagged = tagging.toLowerCase() === "replace" ? given : source
    return {
      ...described(metadata, withoutTags(source), withoutTags(given)),
      ...onlyTags(tagged)
    }
  })

const directiveOf = (
  request: Readonly<Record<string, string | undefined>>,
  name: string
): Result.Result<string, Refusal> => {
  const directive = request[name] ?? "COPY"
  return /^(copy|replace)$/i.test(directive)
    ? Result.succeed(directive)
    : Result.fail(invalid(name, directive, `The ${name} must be COPY or REPLACE.`))
}

const described = (directive: string, source: Headers, given: Headers): Headers => {
  switch (directive) {
    case "REPLACE":
      return { ...filtered(source, (name) => name === "content-type"), ...given }
    case "COPY":
      return { ...source, ...filtered(given, isAlwaysNew) }
    default:
      return { ...source, ...given }
  }
}

/** True for headers that a copy always takes from its own request. */
const isAlwaysNew = (name: string) => name.startsWith("x-oss-") && !name.startsWith("x-oss-meta-")

const tags = "x-oss-tagging"

const onlyTags = (headers: Headers) => filtered(headers, (name) => name === tags)
const withoutTags = (headers: Headers) => filtered(headers, (name) => name !== tags)

const filtered = (headers: Headers, keep: (name: string) => boolean): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => keep(name)))
