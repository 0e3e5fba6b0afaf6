/** `effect-oss status` and what steers an upload by its id. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Uploads from "../../Uploads.ts"
import { describe, layerClient, toJson } from "./client.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly ids: ReadonlyArray<string>
  readonly json: boolean
}

/** Prints how far each upload is, after `steer`. */
const told = (steer: (id: string) => ReturnType<typeof Uploads.pause>) =>
  Effect.fnUntraced(
    function* ({ ids, json }: Input) {
      for (const id of ids) {
        yield* steer(id)
        const status = yield* Uploads.status(id)
        yield* Console.log(json ? toJson(id, status) : `${id} ${describe(status)}`)
      }
    },
    (self, { databaseUrl }) => Effect.provide(self, layerClient(databaseUrl))
  )

export const status = told(() => Effect.void)
export const pause = told(Uploads.pause)
export const resume = told(Uploads.resume)
export const cancel = told(Uploads.cancel)
