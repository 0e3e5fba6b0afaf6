/** `effect-oss upload --dry-run`: shows what would be uploaded, and does nothing else. */
import * as Text from "@effect-oss/terminal/Text"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ObjectUrl } from "../ObjectUrl.ts"
import { Output } from "../Output.ts"
import { jsonLine } from "../json.ts"
import type { Item, Items } from "./items.ts"
import { lookAt } from "./items.ts"

export const list = Effect.fnUntraced(function* (items: Items, url: ObjectUrl, json: boolean) {
  const { out } = yield* Output
  let [files, bytes] = [0, 0]
  const one = Effect.fnUntraced(function* (item: Item) {
    if (item._tag === "LeftOut") return
    const { key } = item.request
    const size = (yield* lookAt(item.path))?.size ?? null
    files++
    bytes += size ?? 0
    const object = `oss://${url.bucket}/${key}`
    const amount = size === null ? "size unknown" : Text.bytes(size)
    yield* out(
      json
        ? jsonLine({ _tag: "WouldUpload", path: item.path, bucket: url.bucket, key, size })
        : `${Text.printable(`would upload ${item.path} (${amount}) to ${object}`)}\n`
    )
  })
  yield* Stream.runForEach(items, one)
  if (!json) {
    yield* out(
      `nothing was sent: ${files} ${files === 1 ? "file" : "files"}, ${Text.bytes(bytes)}\n`
    )
  }
})
