/** Runs cases against any endpoint over HTTP. */
import { Data, Effect } from "effect"
import { createHash } from "node:crypto"
import * as Http from "node:http"
import * as Https from "node:https"
import type { Asked, Case } from "./Case.ts"
import { escaped, type Keys, sign } from "./sign.ts"
import { check, filled, type Names, type Observed, savedOf } from "./texts.ts"

export interface Target {
  /** Such as `http://127.0.0.1:9000` or `https://oss-cn-hangzhou.aliyuncs.com`. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  readonly keys: Keys
}

class Unreachable extends Data.TaggedError("Unreachable")<{ readonly cause: unknown }> {}

const bytesOf = (body: string | number | undefined, names: Names): Buffer =>
  typeof body === "number"
    ? Buffer.alloc(body, "effect-oss")
    : Buffer.from(filled(body ?? "", names))

const request = (target: Target, asked: Asked, names: Names) => {
  const { endpoint, keys, region } = target
  const bucket = filled(asked.bucket ?? "{bucket}", names)
  const key = asked.key === null ? "" : filled(asked.key ?? "{key}", names)
  const body = bytesOf(asked.body, names)
  const known = { ...names, md5: createHash("md5").update(body).digest("base64") }
  const fill = (fields: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, filled(value, known)]))
  const { query, headers } = sign(
    { method: asked.method, bucket, key, query: fill(asked.query), headers: fill(asked.headers) },
    asked.sign ?? {},
    keys,
    region
  )
  const { protocol, host, hostname, port } = new URL(endpoint)
  const isOss = hostname.endsWith(".aliyuncs.com")
  const search = Object.entries(query)
    .map(([name, value]) => escaped(name) + (value === "" ? "" : `=${escaped(value)}`))
    .join("&")
  const path = `${isOss ? "" : `/${bucket}`}/${escaped(key).replaceAll("%2F", "/")}`
  return {
    send: protocol === "https:" ? Https.request : Http.request,
    body,
    options: {
      hostname: isOss ? `${bucket}.${hostname}` : hostname,
      port,
      method: asked.method,
      path: search === "" ? path : `${path}?${search}`,
      headers: {
        ...headers,
        host: isOss ? `${bucket}.${host}` : host,
        ...(asked.method !== "GET" && asked.method !== "HEAD" && { "content-length": body.length })
      }
    }
  }
}

export const ask = (target: Target, asked: Asked, names: Names) =>
  Effect.callback<Observed, Unreachable>((resume) => {
    const { send, options, body } = request(target, asked, names)
    const sent = send(options, (response) => {
      const pieces: Array<Buffer> = []
      response.on("data", (piece: Buffer) => pieces.push(piece))
      response.on("end", () =>
        resume(
          Effect.succeed({
            status: response.statusCode ?? 0,
            headers: response.headers as Record<string, string>,
            body: Buffer.concat(pieces).toString()
          })
        )
      )
    })
    sent.on("error", (cause) => resume(Effect.fail(new Unreachable({ cause }))))
    sent.end(body)
    return Effect.sync(() => sent.destroy())
  })

/** One case with a key of its own; what it leaves is removed. */
export const runOverHttp = (
  target: Target,
  { given = [], asked, answer, afterwards }: Case,
  key: string
) =>
  Effect.gen(function* () {
    const names: Names = { bucket: target.bucket, key }
    for (const step of given) {
      Object.assign(names, savedOf(step, yield* ask(target, step, names)))
    }
    check(yield* ask(target, asked, names), answer, names)
    if (afterwards !== undefined) {
      check(yield* ask(target, afterwards[0], names), afterwards[1], names)
    }
  }).pipe(
    Effect.ensuring(Effect.ignore(cleanUp(target, key))),
    Effect.ensuring(
      Effect.forEach(ownBuckets({ given, asked }), (own) =>
        Effect.ignore(removeBucket(target, filled(own, { bucket: target.bucket })))
      )
    )
  )

const ownBuckets = ({ given = [], asked }: Pick<Case, "given" | "asked">) =>
  new Set([...given, asked].flatMap(({ bucket }) => (bucket === undefined ? [] : [bucket])))

/** With all versions of all that is in it: no case but this one knows the bucket. */
const removeBucket = Effect.fnUntraced(function* (target: Target, bucket: string) {
  const names = { bucket: target.bucket }
  const versions = yield* ask(
    target,
    { method: "GET", bucket, key: null, query: { versions: "" } },
    names
  )
  const pattern = /<Key>(.*?)<\/Key>\s*<VersionId>(.*?)<\/VersionId>/g
  for (const [, key = "", versionId = ""] of versions.body.matchAll(pattern)) {
    yield* ask(target, { method: "DELETE", bucket, key, query: { versionId } }, names)
  }
  yield* ask(target, { method: "DELETE", bucket, key: null }, names)
})

/** All that begins with the key of a case: objects and open uploads; and the bucket's rules. */
const cleanUp = Effect.fnUntraced(function* (target: Target, key: string) {
  const names = { bucket: target.bucket, key }
  const list = (query: Record<string, string>) =>
    Effect.map(
      ask(target, { method: "GET", key: null, query: { prefix: "{key}", ...query } }, names),
      ({ body }) => body
    )
  const objects = yield* list({})
  for (const [, name = ""] of objects.matchAll(/<Key>(.*?)<\/Key>/g)) {
    yield* ask(target, { method: "DELETE", key: name }, names)
  }
  const uploads = yield* list({ uploads: "" })
  const pattern = /<Key>(.*?)<\/Key>\s*<UploadId>(.*?)<\/UploadId>/g
  for (const [, name = "", uploadId = ""] of uploads.matchAll(pattern)) {
    yield* ask(target, { method: "DELETE", key: name, query: { uploadId } }, names)
  }
  yield* ask(target, { method: "DELETE", key: null, query: { cors: "" } }, names)
})
