/**
 * Limits the sources that a runner reads. Anyone who can write to the database
 * can submit an upload, and the runner reads its source with its own rights.
 * Without a limit, that is every file and every URL that the runner can reach.
 */
import { isAbsolute, relative, resolve } from "node:path"
import type * as Source from "@effect-oss/core/Source"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { FileSystem } from "effect/FileSystem"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Locator from "../Locator.ts"
import * as Locate from "./locate.ts"

/** Opens sources below the roots, and refuses others without opening them. */
export class Roots extends Context.Service<
  Roots,
  {
    readonly open: (
      locator: Locator.Locator
    ) => Effect.Effect<
      Source.RandomAccess,
      Source.SourceError | InvalidRequest,
      FileSystem | HttpClient | Scope.Scope
    >
  }
>()("@effect-oss/cluster/Roots") {}

/** Roots are directories and beginnings of URLs, such as `https://mirror.example/pub/`. */
export const layer = (roots: ReadonlyArray<string>): Layer.Layer<Roots, never, FileSystem> =>
  Layer.effect(
    Roots,
    Effect.gen(function* () {
      const fs = yield* FileSystem
      const urls = roots.filter(isUrl)
      const directories = roots.filter((root) => !isUrl(root)).map((root) => resolve(root))
      /** Resolves links. A path that can't be resolved stays as it is. */
      const real = (path: string) => Effect.orElseSucceed(fs.realPath(path), () => path)
      // Looked up once a second, not for each of many small files.
      const places = yield* Effect.cachedWithTTL(Effect.forEach(directories, real), "1 second")
      const isInside = (path: string) =>
        Effect.map(places, (places) => places.some((place) => isBelow(place, path)))
      const openFile = Effect.fnUntraced(function* (locator: Locator.Locator, path: string) {
        const isNamed = directories.some((directory) => isBelow(directory, path))
        if (!isNamed || !(yield* isInside(yield* real(path)))) return yield* refused(locator)
        const opened = yield* Locate.open(locator)
        // A link may have changed meanwhile: the source's id is the resolved path.
        const isStill = yield* isInside(opened.id.replace(/^file:/, ""))
        return isStill ? opened : yield* refused(locator)
      })
      return Roots.of({
        open: (locator) => {
          if (locator._tag === "File") return openFile(locator, locator.path)
          const isKnown = urls.some((root) => isUrlBelow(root, locator.url))
          return isKnown ? Locate.open(locator) : refused(locator)
        }
      })
    })
  )

/** True if a root is the beginning of a URL. */
export const isUrl = (root: string): boolean => /^https?:\/\//.test(root)

const refused = (locator: Locator.Locator) =>
  Effect.fail(
    new InvalidRequest({
      field: "source",
      problem: `${Locate.nameOf(locator)} is not below a root of the runner`,
      remedy: "start the runners with a root that holds it (--root), or submit another source"
    })
  )

const isBelow = (directory: string, path: string): boolean => {
  if (!isAbsolute(path)) return false
  const way = relative(directory, resolve(path))
  return way !== ".." && !way.startsWith("../") && !isAbsolute(way)
}

/** `https://` alone allows every host. */
const isUrlBelow = (root: string, text: string): boolean => {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  if (root === `${url.protocol}//`) return true
  if (!URL.canParse(root)) return false
  const { origin, pathname } = new URL(root)
  const folder = pathname.endsWith("/") ? pathname : `${pathname}/`
  return url.origin === origin && (url.pathname === pathname || url.pathname.startsWith(folder))
}
