import { Fault, OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { elementOf, request } from "./http.ts"
import { bucket, withServer } from "./support.ts"

const origin = "https://app.test"
const rule: OssEmulator.CorsRule = { allowedOrigins: [origin], maxAgeSeconds: 60 }

const preflight = (headers: Record<string, string> = {}) =>
  request(`${bucket}/k`, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "PUT", ...headers }
  })

const document = (fields: string) =>
  `<CORSConfiguration><CORSRule>${fields}</CORSRule></CORSConfiguration>`

const putRules = (body: string) => request(`${bucket}?cors`, { method: "PUT", body })

/** What says that another origin may read. */
const grantOf = (headers: Record<string, string>) => headers["access-control-allow-origin"]

describe("a preflight", () => {
  it.live("is refused where a bucket has no rules", () =>
    Effect.gen(function* () {
      const { status, headers, body } = yield* preflight()
      assert.deepStrictEqual([status, elementOf(body, "Code")], [403, "AccessForbidden"])
      assert.isUndefined(grantOf(headers))
    }).pipe(withServer())
  )

  it.live("needs no signature, and says what a rule allows", () =>
    Effect.gen(function* () {
      const { status, headers } = yield* preflight({
        "access-control-request-headers": "authorization, X-Oss-Date"
      })
      assert.strictEqual(status, 200)
      assert.deepInclude(headers, {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, PUT, DELETE, POST, HEAD",
        "access-control-allow-headers": "authorization, x-oss-date",
        "access-control-max-age": "60",
        vary: "Origin"
      })
      assert.match(headers["access-control-expose-headers"] ?? "", /ETag.*x-oss-hash-crc64ecma/)
      const { log } = yield* OssEmulator.OssEmulator
      assert.deepInclude((yield* log)[0], { operation: "preflight" })
    }).pipe(withServer({ cors: [rule] }))
  )

  it.live.each([
    ["another origin", { origin: "https://other.test" }],
    ["another method", { "access-control-request-method": "PATCH" }]
  ] as const)("by %s is refused", ([, headers]) =>
    Effect.gen(function* () {
      const answer = yield* preflight(headers)
      assert.deepStrictEqual(
        [answer.status, elementOf(answer.body, "Code"), grantOf(answer.headers)],
        [403, "AccessForbidden", undefined]
      )
    }).pipe(withServer({ cors: [rule] }))
  )

  it.live("with a header that no rule allows is refused", () =>
    Effect.gen(function* () {
      const asked = { "access-control-request-headers": "x-oss-date" }
      assert.strictEqual((yield* preflight(asked)).status, 200)
      const other = { "access-control-request-headers": "x-oss-date,authorization" }
      assert.strictEqual((yield* preflight(other)).status, 403)
    }).pipe(withServer({ cors: [{ ...rule, allowedHeaders: ["x-oss-*"] }] }))
  )
})

describe("an answer to another origin", () => {
  it.live("may be read, also when it refuses", () =>
    Effect.gen(function* () {
      const { status, headers } = yield* request(`${bucket}/k`, { headers: { origin } })
      assert.deepStrictEqual([status, grantOf(headers)], [403, origin])
      const own = yield* request(`${bucket}/k`)
      assert.isUndefined(grantOf(own.headers))
      const other = yield* request(`${bucket}/k`, { headers: { origin: "https://other.test" } })
      assert.isUndefined(grantOf(other.headers))
    }).pipe(withServer({ cors: [rule] }))
  )

  it.live("may be read when a fault gave it", () =>
    Effect.gen(function* () {
      const emulator = yield* OssEmulator.OssEmulator
      yield* emulator.inject(Fault.answer({ status: 503, code: "ServiceUnavailable" }))
      const { status, headers } = yield* request(`${bucket}/k`, { headers: { origin } })
      assert.deepStrictEqual([status, grantOf(headers)], [503, origin])
    }).pipe(withServer({ cors: [rule] }))
  )

  it.live("an asterisk lets all origins read", () =>
    Effect.gen(function* () {
      const { headers } = yield* request(`${bucket}/k`, { headers: { origin } })
      assert.strictEqual(grantOf(headers), "*")
    }).pipe(withServer({ cors: [{ allowedOrigins: ["*"] }] }))
  )
})

describe("rules of a bucket", () => {
  const wanted = document(
    "<AllowedOrigin>https://*.test</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>" +
      "<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
  )

  it.live("are put, read, kept to, and deleted", () =>
    Effect.gen(function* () {
      const none = yield* request(`${bucket}?cors`)
      assert.deepStrictEqual(
        [none.status, elementOf(none.body, "Code")],
        [404, "NoSuchCORSConfiguration"]
      )
      assert.strictEqual((yield* putRules(wanted)).status, 200)
      const read = yield* request(`${bucket}?cors`)
      assert.strictEqual(elementOf(read.body, "AllowedOrigin"), "https://*.test")
      const asked = { "access-control-request-headers": "authorization" }
      const allowed = yield* preflight(asked)
      assert.deepStrictEqual(
        [
          allowed.status,
          grantOf(allowed.headers),
          allowed.headers["access-control-expose-headers"]
        ],
        [200, origin, "ETag"]
      )
      assert.strictEqual((yield* preflight({ "access-control-request-method": "GET" })).status, 403)
      assert.strictEqual((yield* request(`${bucket}?cors`, { method: "DELETE" })).status, 204)
      assert.strictEqual((yield* preflight(asked)).status, 403)
    }).pipe(withServer({ credentials: [] }))
  )

  it.live("take the place of those that the emulator was given", () =>
    Effect.gen(function* () {
      yield* putRules(wanted)
      const { headers } = yield* preflight()
      assert.strictEqual(headers["access-control-expose-headers"], "ETag")
    }).pipe(withServer({ credentials: [], cors: [rule] }))
  )

  it.live.each([
    ["no rule", "<CORSConfiguration></CORSConfiguration>"],
    ["no origin", document("<AllowedMethod>GET</AllowedMethod>")],
    ["no method", document("<AllowedOrigin>*</AllowedOrigin>")],
    [
      "a method that is none",
      document("<AllowedOrigin>*</AllowedOrigin><AllowedMethod>PATCH</AllowedMethod>")
    ],
    [
      "two wildcards",
      document("<AllowedOrigin>*.*.test</AllowedOrigin><AllowedMethod>GET</AllowedMethod>")
    ],
    [
      "a wildcard to expose",
      document(
        "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><ExposeHeader>*</ExposeHeader>"
      )
    ],
    ["another document", "<Other/>"]
  ] as const)("with %s are refused", ([, body]) =>
    Effect.gen(function* () {
      const answer = yield* putRules(body)
      assert.deepStrictEqual([answer.status, elementOf(answer.body, "Code")], [400, "MalformedXML"])
    }).pipe(withServer({ credentials: [] }))
  )
})
