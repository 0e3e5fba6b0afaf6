/**
 * `--log FILE`: logs each request to OSS as one line, for finding faults. The
 * log has no secrets.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { printable } from "@effect-oss/terminal/Text"
import { UsageError } from "./CliFailure.ts"
import { isoTime } from "./isoTime.ts"
import * as Monotonic from "./monotonic.ts"

/** An HTTP client that logs to a file. Lines are appended. */
export const logged = <E, R>(
  http: Layer.Layer<HttpClient.HttpClient, E, R>,
  path: Option.Option<string>
): Layer.Layer<HttpClient.HttpClient, E | UsageError, R | FileSystem.FileSystem> =>
  Option.match(path, {
    onNone: () => http,
    onSome: (path) =>
      Layer.effect(
        HttpClient.HttpClient,
        Effect.zipWith(HttpClient.HttpClient, open(path), (client, add) =>
          HttpClient.transform(client, (response, request) => tell(response, request, add))
        )
      ).pipe(Layer.provide(http))
  })

type Add = (line: string) => Effect.Effect<void>

const open = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* Effect.mapError(
    fs.open(path, { flag: "a", mode: 0o600 }),
    ({ reason }) =>
      new UsageError({
        problem: `--log: ${path} can't be written: ${reason.message}`,
        remedy: "give a file that this user can write to"
      })
  )
  const encoder = new TextEncoder()
  // A full disk stops no upload.
  const add: Add = (line) => Effect.ignore(file.writeAll(encoder.encode(`${line}\n`)))
  return add
})

const tell = <R extends { readonly status: number; readonly headers: object }, E, Env>(
  response: Effect.Effect<R, E, Env>,
  request: HttpClientRequest,
  add: Add
) =>
  Effect.gen(function* () {
    const time = isoTime(yield* Clock.currentTimeMillis)
    const begun = yield* Monotonic.now
    const line = (outcome: string, id = "") =>
      Effect.flatMap(Monotonic.now, (now) => {
        const { method, url } = request
        const bytes = request.headers["content-length"] ?? "0"
        const took = Math.round(now - begun)
        const words = [time, outcome, method, shown(url), `${bytes} bytes`, `${took} ms`, id]
        return add(printable(words.filter((word) => word !== "").join(" ")))
      })
    return yield* response.pipe(
      Effect.tap(({ status, headers }) => line(String(status), requestId(headers))),
      Effect.tapError((error) => line(`failed (${nameOf(error)})`)),
      Effect.onInterrupt(() => line("interrupted"))
    )
  })

const requestId = (headers: object): string =>
  "x-oss-request-id" in headers ? String(headers["x-oss-request-id"]) : ""

/** The name of the error only: its message may contain the address and the password of a proxy. */
const nameOf = (error: unknown): string => {
  const causes: Array<unknown> = [error]
  for (
    let cause = error;
    cause instanceof Error && cause.cause !== undefined;
    cause = cause.cause
  ) {
    causes.push(cause.cause)
  }
  const last = causes.findLast((cause) => cause instanceof Error)
  return last instanceof Error ? ("code" in last ? String(last.code) : last.name) : "unknown"
}

/** The query parameters to log. Signatures and tokens are not among them. */
const harmless: ReadonlySet<string> = new Set([
  "partNumber",
  "uploadId",
  "uploads",
  "prefix",
  "max-uploads",
  "encoding-type",
  "key-marker",
  "upload-id-marker",
  "part-number-marker"
])

const shown = (text: string): string => {
  const [place = "", query = ""] = text.split("?", 2)
  const parameters = query
    .split("&")
    .filter((parameter) => parameter !== "")
    .map((parameter) => {
      const [name = ""] = parameter.split("=", 1)
      return harmless.has(name) ? parameter : `${name}=(hidden)`
    })
  return parameters.length === 0 ? place : `${place}?${parameters.join("&")}`
}
