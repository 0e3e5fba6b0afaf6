/** `effect-oss status`, and the commands that pause, resume and cancel an upload by its id. */
import * as Uploads from "@effect-oss/cluster/Uploads"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { Output } from "../Output.ts"
import { conclude, describe, layerClient, toJson, validIds } from "./cluster.ts"
import { watch } from "./watch.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly ids: ReadonlyArray<string>
  readonly json: boolean
}

/** Runs `steer` for each upload, and prints its status. If any id is unknown, it does nothing. */
const told = (steer: (id: string) => ReturnType<typeof Uploads.pause>) =>
  Effect.fnUntraced(function* ({ ids, json, databaseUrl }: Input) {
    const { out } = yield* Output
    yield* validIds(ids)
    return yield* Effect.gen(function* () {
      yield* Effect.forEach(ids, Uploads.find, { discard: true })
      return yield* Effect.forEach(
        ids,
        Effect.fnUntraced(function* (id) {
          yield* steer(id)
          const upload = yield* Uploads.find(id)
          yield* out(json ? `${toJson(upload)}\n` : `${id} ${describe(upload.status)}\n`)
          return upload.status
        })
      )
    }).pipe(Effect.provide(layerClient(databaseUrl)))
  })

export const status = Effect.fnUntraced(function* (input: Input & { readonly watch: boolean }) {
  if (!input.watch) return yield* conclude(yield* told(() => Effect.void)(input))
  yield* validIds(input.ids)
  const statuses = yield* watch(input.ids, input.json).pipe(
    Effect.provide(layerClient(input.databaseUrl))
  )
  return yield* conclude(statuses)
})
export const pause = told(Uploads.pause)
export const resume = told(Uploads.resume)
export const cancel = told(Uploads.cancel)
