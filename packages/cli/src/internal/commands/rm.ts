/** `effect-oss rm`: deletes one object, without asking. */
import { OssClient } from "@effect-oss/core/OssClient"
import { bytes, printable } from "@effect-oss/terminal/Text"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Connection } from "../connection.ts"
import { layerClient } from "../connection.ts"
import { jsonLine } from "../json.ts"
import type { ObjectUrl } from "../ObjectUrl.ts"
import { Output } from "../Output.ts"
import * as Stored from "../stored.ts"

export interface Input extends Connection {
  readonly url: string
  readonly dryRun: boolean
  readonly retryFor: string
  readonly json: boolean
}

export const run = Effect.fn("rm")(function* (input: Input) {
  const { out } = yield* Output
  const url = yield* Effect.fromResult(Stored.objectAt(input.url))
  const size = yield* Effect.provide(remove(url, input), layerClient(url.bucket, input))
  const { bucket, key } = url
  const done = input.dryRun ? "would remove" : "removed"
  const line = printable(`${done} oss://${bucket}/${key} (${bytes(size)})`)
  const _tag = input.dryRun ? "WouldRemove" : "Removed"
  yield* out(input.json ? jsonLine({ _tag, bucket, key, size }) : `${line}\n`)
})

/**
 * Looks at the object first, because OSS reports success for a mistyped key too.
 * Returns its size.
 */
const remove = Effect.fnUntraced(function* (url: ObjectUrl, { retryFor, dryRun }: Input) {
  const client = yield* OssClient
  const look = yield* Stored.lookingFor(retryFor)
  const again = yield* Stored.patiently(retryFor)
  const head = yield* look(url.key)
  if (Option.isNone(head)) return yield* Stored.nothingAt(url)
  if (!dryRun) yield* again(client.delete(url.key))
  return head.value.size
})
