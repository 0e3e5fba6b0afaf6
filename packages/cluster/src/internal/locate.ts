/** Opens the source of a locator. */
import * as Source from "@effect-oss/core/Source"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Effect from "effect/Effect"
import type { FileSystem } from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import type * as Scope from "effect/Scope"
import type { Locator } from "../Locator.ts"

/**
 * The name of a source in messages: its path, or its URL without parts that may
 * be secret.
 */
export const nameOf = (locator: Locator): string => sourceOf(locator).name

/**
 * Opens a source. Several machines send its parts, so it must be readable at
 * any offset: a URL without ranges fails with `InvalidRequest`.
 */
export const open = Effect.fnUntraced(function* (
  locator: Locator
): Effect.fn.Return<
  Source.RandomAccess,
  Source.SourceError | InvalidRequest,
  FileSystem | HttpClient | Scope.Scope
> {
  const opened = yield* sourceOf(locator).open
  if (opened._tag === "RandomAccess") return opened
  return yield* new InvalidRequest({
    field: "source",
    problem: `${nameOf(locator)} can't be read at any place`,
    remedy: "give a URL whose server tells its length and a version, and answers ranges"
  })
})

const sourceOf = (locator: Locator): Source.Source<never, FileSystem | HttpClient> =>
  locator._tag === "File"
    ? Source.file(locator.path)
    : Source.http(locator.url, { id: locator.id, headers: locator.headers })
