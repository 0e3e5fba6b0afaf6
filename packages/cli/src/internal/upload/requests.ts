/** Makes the requests for the items, and decides which files to skip. */
import type { ObjectHead } from "@effect-oss/core/OssModel"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Finished } from "./finished.ts"
import type { Settings } from "./input.ts"
import type { Items, Look, Request } from "./items.ts"
import { lookAt } from "./items.ts"

/** The requests, and the state of their files before they were opened. */
export const requestsOf = (items: Items, settings: Settings, finished: Finished) => {
  const looks = new WeakMap<object, Look>()
  const { partSize, discover, skip, storage } = settings
  const requests = Stream.filter(items, (item) => item._tag === "File").pipe(
    Stream.mapEffect(
      Effect.fnUntraced(function* ({ request, path, look: known, usable }) {
        const look = usable ? (known ?? (yield* lookAt(path))) : undefined
        const earlier = look && finished.crc64Of(request.key, look)
        const skipIdentical = earlier === undefined ? skipBy(skip, look) : hasCrc64(earlier)
        const complete: Request = { ...request, ...storage, partSize, discover, skipIdentical }
        if (look !== undefined) looks.set(complete, look)
        return complete
      })
    )
  )
  return { requests, looks }
}

/** How `upload` decides by the stored object whether to skip a file. */
export const skipBy = (
  skip: Settings["skip"],
  look: Look | undefined
): Request["skipIdentical"] => {
  switch (skip) {
    case "crc64":
      return true
    case "size-time":
      // The sizes are equal when this function is called.
      return ({ lastModified }) =>
        look !== undefined && lastModified !== undefined && lastModified >= look.modified
    case undefined:
      return false
  }
}

/** The object that an earlier run stored from this file. */
const hasCrc64 =
  (earlier: bigint) =>
  ({ crc64 }: ObjectHead): boolean =>
    Option.contains(crc64, earlier)
