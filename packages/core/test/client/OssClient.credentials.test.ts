/** What uploads do when there are no keys, no URLs, or the wrong ones. */
import { assert, describe, it } from "@effect/vitest"
import {
  CheckpointStore,
  OssClient,
  type OssCredentials,
  RetryPolicy,
  Source,
  Upload
} from "@effect-oss/core"
import type { UploadEvent } from "@effect-oss/core"
import { Clock, Data, Effect, Layer, Redacted, Stream } from "effect"
import { HttpClient, HttpClientError, HttpClientRequest, HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { inTime } from "../support/world.ts"

const content = new TextEncoder().encode("content")

const unknownKey = `<Error><Code>InvalidAccessKeyId</Code><Message>The OSS Access Key Id you provided does not exist in our records.</Message><RequestId>5F0</RequestId></Error>`

/** An OSS that stores whatever is signed with keys that it knows. */
const oss = (knows: (authorization: string) => boolean = () => true) =>
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request) => {
      const isKnown = knows(request.headers["authorization"] ?? "")
      const headers = { "x-oss-request-id": "5F0", etag: '"e"' }
      const response = new Response(isKnown ? "" : unknownKey, {
        status: isKnown ? 200 : 403,
        headers
      })
      const sent =
        request.body._tag === "Stream" ? Stream.runDrain(request.body.stream) : Effect.void
      return Effect.as(Effect.orDie(sent), HttpClientResponse.fromWeb(request, response))
    })
  )

const place = { bucket: "bucket", region: "cn-hangzhou" }

/** Uploads by this client, waiting for at most ten minutes. */
const upload = <E>(
  client: Layer.Layer<OssClient.OssClient, E, HttpClient.HttpClient>,
  http = oss()
) => {
  const events: Array<UploadEvent.UploadEvent["_tag"]> = []
  const program = Upload.events({
    key: "k",
    source: Source.bytes(content),
    retry: RetryPolicy.patient({ for: "10 minutes" })
  }).pipe(
    Stream.runForEach((event) => Effect.sync(() => events.push(event._tag))),
    Effect.provide([Layer.provide(client, http), CheckpointStore.layerMemory])
  )
  return Effect.map(Effect.result(inTime(program)), (result) => ({ result, events }))
}

const reasonOf = (result: { readonly _tag: string; readonly failure?: unknown }) => {
  const error = result.failure as { _tag?: string; reason?: { _tag: string }; message?: string }
  return [error?.reason?._tag, error?.message ?? ""] as const
}

const issued = (id: string): OssCredentials.Credentials => ({
  accessKeyId: id,
  accessKeySecret: Redacted.make("s"),
  securityToken: Redacted.make("t")
})

class Refused extends Data.TaggedError("Refused")<{}> {
  readonly isRetryable = false
  readonly remedy = "check the role's ARN"
  override readonly message = "STS for acs:ram::1:role/r: EntityNotExist.Role"
}

class Away extends Data.TaggedError("Away")<{}> {
  readonly isRetryable = true
}

/** Fails until five minutes have passed, and counts how often it is asked. */
const awayFor5Minutes = <A, E>(error: E, then: A) => {
  const state = { asked: 0 }
  const source = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    state.asked++
    return now < 300_000 ? Effect.fail(error) : Effect.succeed(then)
  })
  return { state, source }
}

describe("keys that can't be had", () => {
  it.effect("end an upload at the first attempt if the source refuses, with its remedy", () =>
    Effect.gen(function* () {
      let asked = 0
      const credentials = Effect.suspend(() => {
        asked++
        return Effect.fail(new Refused())
      })
      const { result } = yield* upload(OssClient.layer({ ...place, credentials }))
      const [tag, message] = reasonOf(result)
      assert.strictEqual(tag, "NoCredentials")
      assert.include(message, "STS for acs:ram::1:role/r: EntityNotExist.Role")
      assert.include(message, "check the role's ARN")
      assert.strictEqual(asked, 1)
    })
  )

  it.effect("are waited for as a network is if the source can't be reached", () =>
    Effect.gen(function* () {
      const { source } = awayFor5Minutes(new Away(), issued("STS.1"))
      const { result, events } = yield* upload(OssClient.layer({ ...place, credentials: source }))
      assert.strictEqual(reasonOf(result)[1], "")
      assert.include(events, "Waiting")
    })
  )
})

const asked = HttpClientRequest.post("https://app.example/sign")

const ofStatus = (status: number) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.StatusCodeError({
      request: asked,
      response: HttpClientResponse.fromWeb(asked, new Response("", { status }))
    })
  })

const ofNetwork = new HttpClientError.HttpClientError({
  reason: new HttpClientError.TransportError({ request: asked, cause: new TypeError("terminated") })
})

const presigned = <E>(sign: Effect.Effect<string, E>) =>
  OssClient.layerPresigned({ ...place, sign: () => sign })

describe("URLs that aren't signed", () => {
  it.effect.each([
    ["can't be reached", ofNetwork],
    ["is out of order", ofStatus(502)],
    ["can't be reached from a page", new TypeError("Failed to fetch")],
    ["refuses the connection", Object.assign(new Error("connect"), { code: "ECONNREFUSED" })]
  ] as const)("are waited for as a network is if the signer %s", ([, error]) =>
    Effect.gen(function* () {
      const { source } = awayFor5Minutes<string, unknown>(error, "https://b.example/k?signed")
      const { result, events } = yield* upload(presigned(source))
      assert.strictEqual(reasonOf(result)[1], "")
      assert.include(events, "Waiting")
    })
  )

  it.effect.each([
    ["403", ofStatus(403)],
    ["401 of a client of one's own", { status: 401, message: "log in" }],
    ["what it says is final", new Refused()]
  ] as const)("end an upload at the first attempt if the signer refuses: %s", ([, error]) =>
    Effect.gen(function* () {
      const { state, source } = awayFor5Minutes<string, unknown>(error, "")
      const { result } = yield* upload(presigned(source))
      assert.strictEqual(reasonOf(result)[0], "AccessDenied")
      assert.strictEqual(state.asked, 1)
    })
  )
})

describe("temporary keys that OSS doesn't know", () => {
  /** Keys that OSS knows from the second ones on, in a client that made a request `millis` ago. */
  const after = Effect.fnUntraced(function* (millis: number) {
    let given = 0
    let knowsFirst = true
    const credentials = Effect.sync(() => issued(`STS.${++given}`))
    const client = yield* OssClient.OssClient.pipe(
      Effect.provide(
        Layer.provide(
          OssClient.layer({ ...place, credentials }),
          oss((authorization) => knowsFirst || !authorization.includes("STS.1/"))
        )
      )
    )
    yield* client.head("k").pipe(Effect.ignore)
    knowsFirst = false
    yield* TestClock.adjust(millis)
    const { result } = yield* upload(Layer.succeed(OssClient.OssClient, client))
    return { result, given }
  })

  it.effect("are replaced once: they may have expired by a clock that is not this one", () =>
    Effect.gen(function* () {
      const { result, given } = yield* after(3_600_000)
      assert.strictEqual(reasonOf(result)[1], "")
      assert.strictEqual(given, 2)
    })
  )

  it.effect("are wrong if they are new", () =>
    Effect.gen(function* () {
      const { result, given } = yield* after(1_000)
      assert.strictEqual(reasonOf(result)[0], "AccessDenied")
      assert.strictEqual(given, 1)
    })
  )
})
