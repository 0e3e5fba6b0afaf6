/** `effect-oss submit`: hands uploads to the runners, and waits for them if asked to. */
import { basename, resolve } from "node:path"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Locator from "../../Locator.ts"
import * as Uploads from "../../Uploads.ts"
import { describe, layerClient, toJson } from "./client.ts"

export interface Input {
  readonly databaseUrl: Option.Option<string>
  readonly places: ReadonlyArray<string>
  readonly partSize: Option.Option<number>
  readonly onFailure: "keep" | "abort"
  readonly wait: boolean
  readonly json: boolean
}

/** Looking at a source takes a round trip, and so does the database. */
const atOnce = 16

export const run = Effect.fn("submit")(
  function* (input: Input) {
    const { wait, json, onFailure } = input
    const { sources, bucket, prefix } = yield* placesOf(input.places)
    const failures = yield* Effect.forEach(
      sources,
      Effect.fnUntraced(function* (source) {
        const key = prefix === "" || prefix.endsWith("/") ? `${prefix}${nameOf(source)}` : prefix
        const partSize = Option.getOrUndefined(input.partSize)
        const id = yield* Uploads.submit({ bucket, key, source, partSize, onFailure })
        yield* Console.log(
          json ? JSON.stringify({ id, bucket, key }) : `${id} oss://${bucket}/${key}`
        )
        if (!wait) return []
        const status = yield* ended(id)
        yield* Console.log(json ? toJson(id, status) : `${id} ${describe(status)}`)
        return status._tag === "Failed" ? [status.error] : []
      }),
      { concurrency: atOnce }
    )
    const [failure] = failures.flat()
    if (failure?._tag === "Cancelled") {
      return yield* new InvalidRequest({
        field: failure.key,
        problem: "the upload was cancelled",
        remedy: "submit it again, if that was a mistake"
      })
    }
    if (failure !== undefined) return yield* failure
  },
  (self, { databaseUrl }) => Effect.provide(self, layerClient(databaseUrl))
)

/** Asks again and again: runners tell those only who wait in the same process. */
const ended = Effect.fnUntraced(function* (id: string) {
  while (true) {
    const status = yield* Uploads.status(id)
    if (status._tag !== "Waiting" && status._tag !== "Sending") return status
    yield* Effect.sleep("500 millis")
  }
})

const placesOf = Effect.fnUntraced(function* (places: ReadonlyArray<string>) {
  const sources = places.slice(0, -1)
  const [, bucket, prefix = ""] = /^oss:\/\/([^/]+)(?:\/(.*))?$/s.exec(places.at(-1) ?? "") ?? []
  if (bucket === undefined) {
    return yield* new InvalidRequest({
      field: "the object",
      problem: `"${places.at(-1)}" does not name one`,
      remedy: "give oss://BUCKET/KEY last"
    })
  }
  if (sources.length > 1 && prefix !== "" && !prefix.endsWith("/")) {
    return yield* new InvalidRequest({
      field: "the object",
      problem: "several files can't become one object",
      remedy: "let the key end in /"
    })
  }
  return { sources: sources.map(locatorOf), bucket, prefix }
})

const locatorOf = (source: string): Locator.Locator =>
  /^https?:\/\//.test(source) ? Locator.http(source) : Locator.file(resolve(source))

const nameOf = (source: Locator.Locator) => basename(Locator.nameOf(source))
