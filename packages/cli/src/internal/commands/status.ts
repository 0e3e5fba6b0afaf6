/** `effect-oss status` and what steers an upload by its id. */
import * as Uploads from "@effect-oss/cluster/Uploads"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import { UsageError } from "../../CliFailure.ts"
import { Output } from "../../Output.ts"
import { describe, layerClient, toJson } from "./cluster.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly ids: ReadonlyArray<string>
  readonly json: boolean
}

/** Prints how far each upload is, after `steer`. */
const told = (steer: (id: string) => ReturnType<typeof Uploads.pause>) =>
  Effect.fnUntraced(function* ({ ids, json, databaseUrl }: Input) {
    const { out } = yield* Output
    for (const id of ids) if (!/^[0-9a-f]{32}$/.test(id)) return yield* noId(id)
    yield* Effect.forEach(
      ids,
      Effect.fnUntraced(function* (id) {
        yield* steer(id)
        const status = yield* Uploads.status(id)
        yield* out(json ? `${toJson(id, status)}\n` : `${id} ${describe(status)}\n`)
      })
    ).pipe(Effect.provide(layerClient(databaseUrl)))
  })

const noId = (text: string) =>
  new UsageError({
    problem: `"${text}" is not an upload's id`,
    remedy: 'give what "effect-oss submit" printed: 32 digits and letters from a to f'
  })

export const status = told(() => Effect.void)
export const pause = told(Uploads.pause)
export const resume = told(Uploads.resume)
export const cancel = told(Uploads.cancel)
