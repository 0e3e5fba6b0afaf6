/** Runs cases against the client without I/O, as far as its interface says what they ask. */
import { Body, OssClient, type OssError } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { assert } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Answer, Asked, Case } from "./Case.ts"
import { filled, type Names } from "./texts.ts"

interface Observed {
  readonly status: number
  readonly code?: string | undefined
  readonly etag?: string | undefined
  readonly crc64?: string | undefined
  readonly uploadId?: string | undefined
}

type Call = (
  client: OssClient.OssClient["Service"],
  fill: (text: string) => string
) => Effect.Effect<Observed, OssError.OssError>

/** What the interface has no word for. */
const isPlain = ({ bucket, key, sign, query = {}, headers = {} }: Asked) =>
  bucket === undefined &&
  key !== null &&
  !Number.isNaN(Number(query["partNumber"] ?? 1)) &&
  sign === undefined &&
  !Object.keys(headers).some((name) =>
    /^(content-md5|range|if-.*|origin|x-oss-(complete-all|copy-source.*|content-sha256|traffic-limit|symlink-target))$/.test(
      name
    )
  )

const callOf = (asked: Asked): Call | undefined => {
  const { method, query = {} } = asked
  const names = Object.keys(query).sort().join(",")
  return isPlain(asked) ? calls[`${method}?${names}`]?.(asked) : undefined
}

const contentOf = (asked: Asked, fill: (text: string) => string) =>
  Body.fromBytes(
    typeof asked.body === "number"
      ? Buffer.alloc(asked.body, "effect-oss")
      : Buffer.from(fill(asked.body ?? ""))
  )

const receipt = (done: { readonly etag: string; readonly crc64: Option.Option<bigint> }) => ({
  status: 200,
  etag: done.etag,
  crc64: Option.getOrUndefined(Option.map(done.crc64, String))
})

const keyOf = (asked: Asked, fill: (text: string) => string) => fill(asked.key ?? "{key}")

const filledHeaders = ({ headers = {} }: Asked, fill: (text: string) => string) => ({
  headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, fill(text)]))
})

/** By method and parameters. */
const calls: Readonly<Record<string, (asked: Asked) => Call | undefined>> = {
  "PUT?": (asked) => (client, fill) =>
    Effect.map(
      client.put({
        key: keyOf(asked, fill),
        body: contentOf(asked, fill),
        options: filledHeaders(asked, fill)
      }),
      receipt
    ),
  "HEAD?": (asked) => (client, fill) => Effect.map(client.head(keyOf(asked, fill)), receipt),
  "POST?uploads": (asked) => (client, fill) =>
    Effect.map(client.initiate(keyOf(asked, fill), filledHeaders(asked, fill)), ({ uploadId }) => ({
      status: 200,
      uploadId
    })),
  "PUT?partNumber,uploadId": (asked) => (client, fill) =>
    Effect.map(
      client.uploadPart({
        key: keyOf(asked, fill),
        uploadId: fill(asked.query?.["uploadId"] ?? ""),
        number: Number(asked.query?.["partNumber"]),
        body: contentOf(asked, fill)
      }),
      receipt
    ),
  "POST?uploadId": (asked) => {
    const text = String(asked.body)
    if (!text.startsWith("<CompleteMultipartUpload>")) return undefined
    return (client, fill) =>
      Effect.map(
        client.complete({
          key: keyOf(asked, fill),
          uploadId: fill(asked.query?.["uploadId"] ?? ""),
          parts: Array.from(
            text.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>(.*?)<\/ETag>/g),
            ([, number, etag = ""]) => ({ number: Number(number), etag: fill(etag) })
          ),
          options: filledHeaders(asked, fill)
        }),
        receipt
      )
  },
  "DELETE?uploadId": (asked) => (client, fill) =>
    Effect.as(
      client.abort({ key: keyOf(asked, fill), uploadId: fill(asked.query?.["uploadId"] ?? "") }),
      { status: 204 }
    ),
  "GET?uploadId": (asked) => (client, fill) =>
    Effect.as(
      client.listParts({
        key: keyOf(asked, fill),
        uploadId: fill(asked.query?.["uploadId"] ?? "")
      }),
      { status: 200 }
    )
}

/** True: every request of the case is one that the interface can make, and its answer can be seen. */
export const appliesInProcess = ({ given = [], asked, answer }: Case): boolean =>
  [...given, asked].every((each) => callOf(each) !== undefined) && isSeen(asked, answer)

/** What a case says that goes beyond the interface can't be compared; something must be left. */
const isSeen = ({ method }: Asked, { status, headers = {}, xml = {} }: Answer) =>
  status >= 400 ||
  (method !== "GET" &&
    Object.keys(xml).length === 0 &&
    Object.keys(headers).every((name) => name === "etag" || name === "x-oss-hash-crc64ecma"))

const observe = (asked: Asked, names: Names) =>
  OssClient.OssClient.use((client) => {
    const call = callOf(asked)
    assert.isDefined(call)
    return (call ?? (() => Effect.die("no call")))(client, (text) => filled(text, names))
  }).pipe(
    Effect.catchTag("OssError", ({ status = 0, code }) =>
      Effect.succeed<Observed>({ status, code })
    )
  )

const compare = (actual: string | undefined, expected: string | RegExp | null, names: Names) => {
  if (expected === null) assert.isUndefined(actual)
  else if (typeof expected === "string") assert.strictEqual(actual, filled(expected, names))
  else assert.match(actual ?? "", expected)
}

export const runInProcess = ({ given = [], asked, answer }: Case, key: string) =>
  Effect.gen(function* () {
    const names: Names = { key }
    for (const step of given) {
      const { uploadId, etag } = yield* observe(step, names)
      for (const [name, from] of Object.entries(step.save ?? {})) {
        names[name] = (from === "xml:UploadId" ? uploadId : etag) ?? ""
      }
    }
    const observed = yield* observe(asked, names)
    assert.strictEqual(observed.status, answer.status)
    if (answer.code !== undefined && asked.method !== "HEAD") {
      assert.strictEqual(observed.code, answer.code)
    }
    const { etag, "x-oss-hash-crc64ecma": crc64 } = answer.headers ?? {}
    if (etag !== undefined) compare(observed.etag, etag, names)
    if (crc64 !== undefined) compare(observed.crc64, crc64, names)
  }).pipe(Effect.provide(OssEmulator.layerClient()))
