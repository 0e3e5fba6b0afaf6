/** The core that both interfaces share. */
import * as Effect from "effect/Effect"
import type { Entry } from "../RequestLog.ts"
import type { Store } from "./bytes/store.ts"
import * as Exchange from "./exchange.ts"
import * as Verbs from "./verbs.ts"

/** `run` keeps the ids of one run apart from those of other runs on the same data. */
export const core = Effect.fnUntraced(function* (options: {
  readonly store: Store
  readonly run: string
  readonly buckets: ReadonlyArray<string> | undefined
  readonly onRequest?: ((entry: Entry) => Effect.Effect<void>) | undefined
}) {
  const { store, run, buckets, onRequest } = options
  const counter = (length: number) => {
    let count = 0
    const room = length - run.length
    return () => `${run}${(++count).toString(16).toUpperCase().padStart(room, "0")}`
  }
  const ids = { uploadId: counter(32), blobId: counter(32), versionId: counter(32) }
  const verbs = Verbs.make({ store, ids, anyBucket: buckets === undefined })
  yield* Effect.forEach(buckets ?? [], verbs.ensureBucket, { discard: true })
  return { verbs, exchange: yield* Exchange.make(counter(24), onRequest) }
})
