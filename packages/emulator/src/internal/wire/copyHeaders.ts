/** How a copy is described: as its source, as its own request says, or as both say. */
import * as Result from "effect/Result"
import type { Refusal } from "../../EmulatorError.ts"
import { invalid } from "./errors.ts"

type Headers = Readonly<Record<string, string>>

/**
 * OSS: without directives a copy is described and tagged as its source is.
 * `REPLACE` keeps nothing of the source but its type, which a request may
 * replace. In small letters, as Python v2's own tests have it, the request's
 * headers come on top of the source's.
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

/** What a copy takes from its own request whatever the directive says. */
const isAlwaysNew = (name: string) => name.startsWith("x-oss-") && !name.startsWith("x-oss-meta-")

const tags = "x-oss-tagging"

const onlyTags = (headers: Headers) => filtered(headers, (name) => name === tags)
const withoutTags = (headers: Headers) => filtered(headers, (name) => name !== tags)

const filtered = (headers: Headers, keep: (name: string) => boolean): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => keep(name)))
