import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Effect, Exit, Layer, Logger, Redacted, Ref, References, Tracer } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"
import { against, bytes, part, refusal, stored, verbs } from "../support/OssClientReplies.ts"
import { type Answerer, clientTo, fixedKeys, serve } from "../support/OssClientServer.ts"

describe("a clock that is off", () => {
  it.effect(
    "is learnt from the refusal, so that later requests are signed with the server's time",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.parse("2026-11-22T10:00:00Z"))
        const { client, server } = yield* against((_, __, count) =>
          count === 1
            ? refusal(403, "RequestTimeTooSkewed", { date: "Sun, 22 Nov 2026 13:00:00 GMT" })
            : { status: 204 }
        )
        const abort = client.abort({ key: "k", uploadId: "U" })
        const { reason } = yield* Effect.flip(abort)
        assert.deepStrictEqual(reason._tag === "ClockSkew" && reason.offset, 3 * 3_600_000)
        yield* abort
        yield* TestClock.adjust("1 minute")
        yield* abort
        assert.deepStrictEqual(
          server.requests.map(({ headers }) => headers["x-oss-date"]),
          ["20261122T100000Z", "20261122T130000Z", "20261122T130100Z"]
        )
      })
  )
})

describe("a clock that is off, in a page that may not see Date", () => {
  const told = (time: string) => {
    const { body = "", ...answer } = refusal(403, "RequestTimeTooSkewed", { date: "hidden" })
    return {
      ...answer,
      body: String(body).replace("</Error>", `<ServerTime>${time}</ServerTime></Error>`)
    }
  }

  it.effect.each([
    ["2026-11-22T13:00:00.000Z", 3 * 3_600_000],
    ["2026-11-22T09:59:00Z", -60_000],
    ["yesterday", 0],
    ["2026-99-99T99:99:99Z", 0]
  ] as const)("is learnt from OSS's XML: %s", ([time, offset]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-11-22T10:00:00Z"))
      const { client } = yield* against(() => told(time))
      const { reason } = yield* Effect.flip(client.abort({ key: "k", uploadId: "U" }))
      assert.deepStrictEqual(reason._tag === "ClockSkew" && reason.offset, offset)
    })
  )
})

class StsDown extends Data.TaggedError("StsDown")<{}> {
  override readonly message = "STS is down"
}

const issue = (n: number) => ({
  accessKeyId: `STS.${n}`,
  accessKeySecret: Redacted.make(`hidden-secret-${n}`),
  securityToken: Redacted.make(`hidden-token-${n}`)
})

describe("temporary keys", () => {
  it.effect(
    "that expire under 20 parallel parts are refreshed once, and the old ones not sent again",
    () =>
      Effect.gen(function* () {
        const server = yield* serve(({ headers }) =>
          headers["x-oss-security-token"] === "hidden-token-1"
            ? refusal(403, "SecurityTokenExpired")
            : stored
        )
        const issued = yield* Ref.make(0)
        const client = yield* clientTo(server.url, {
          credentials: Effect.map(
            Ref.updateAndGet(issued, (n) => n + 1),
            issue
          )
        })
        const numbers = Array.from({ length: 20 }, (_, index) => index + 1)
        const receipts = yield* Effect.forEach(
          numbers,
          (number) =>
            Effect.retry(client.uploadPart(part(bytes(1000), number)), {
              while: (error) => error.reason._tag === "CredentialsExpired",
              times: 1
            }),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(receipts.length, 20)
        assert.strictEqual(yield* Ref.get(issued), 2)
        const tokens = server.requests.map(({ headers }) => headers["x-oss-security-token"])
        assert.strictEqual(tokens.filter((token) => token === "hidden-token-2").length, 20)
      })
  )

  it.effect("that can't be had fail the request, not the program", () =>
    Effect.gen(function* () {
      const { server } = yield* against(() => stored)
      const client = yield* clientTo(server.url, { credentials: new StsDown() })
      const error = yield* Effect.flip(client.head("k"))
      assert.strictEqual(error.reason._tag, "CredentialsExpired")
      assert.include(error.message, "STS is down")
      assert.strictEqual(server.requests.length, 0)
    })
  )

  it.effect("that can't be had are an outage if the error says so, or is the network's", () =>
    Effect.gen(function* () {
      const { server } = yield* against(() => stored)
      const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" })
      const loop = new Error("loop")
      loop.cause = loop
      const errors: ReadonlyArray<readonly [unknown, boolean]> = [
        [{ isRetryable: true }, true],
        [{ isRetryable: false, cause: refused }, false],
        [new TypeError("fetch failed", { cause: refused }), true],
        [new Cause.TimeoutError(), true],
        [new StsDown(), false],
        [loop, false],
        [undefined, false]
      ]
      for (const [error, isOutage] of errors) {
        const client = yield* clientTo(server.url, { credentials: Effect.fail(error) })
        const { reason } = yield* Effect.flip(client.head("k"))
        assert.strictEqual(reason._tag === "CredentialsExpired" && !!reason.isOutage, isOutage)
      }
    })
  )

  it.effect(
    "with characters that HTTP can't carry fail before anything is sent, without being shown",
    () =>
      Effect.gen(function* () {
        const { server } = yield* against(() => stored)
        const client = yield* clientTo(server.url, {
          credentials: { ...fixedKeys, securityToken: Redacted.make("hid\nden") }
        })
        const error = yield* Effect.flip(client.head("k"))
        assert.strictEqual(error.reason._tag, "Rejected")
        assert.include(error.message, "x-oss-security-token")
        assert.notInclude(error.message, "hid\nden")
        assert.strictEqual(server.requests.length, 0)
      })
  )
})

describe("secrets", () => {
  it.effect("appear in no error, log or span, whatever goes wrong", () =>
    Effect.gen(function* () {
      const spans: Array<Tracer.NativeSpan> = []
      const lines: Array<unknown> = []
      const observed = Layer.mergeAll(
        Layer.succeed(
          Tracer.Tracer,
          Tracer.make({
            span: (options) => {
              const span = new Tracer.NativeSpan(options)
              spans.push(span)
              return span
            }
          })
        ),
        Logger.layer([
          Logger.make((entry) => void lines.push(entry.message, Cause.pretty(entry.cause)))
        ]),
        Layer.succeed(References.MinimumLogLevel, "All"),
        Layer.succeed(HttpClient.TracerHeaderFilter, () => true)
      )
      const answers: ReadonlyArray<Answerer> = [
        () => stored,
        () => refusal(403, "SignatureDoesNotMatch"),
        () => ({ status: 502, body: "<html>" }),
        () => ({ ...stored, body: "<cut" }),
        (_, response) => void response.socket?.destroy()
      ]
      const exits = yield* Effect.forEach(answers, (answer) =>
        Effect.gen(function* () {
          const server = yield* serve(answer)
          const client = yield* clientTo(server.url, { credentials: issue(1) })
          const failing = client.uploadPart(
            part({ size: 10, read: () => Effect.fail("unreadable") })
          )
          return yield* Effect.forEach([...Object.values(verbs(client)), failing], (verb) =>
            Effect.exit(Effect.tapCause(Effect.asVoid(verb), (cause) => Effect.logError(cause)))
          )
        })
      ).pipe(Effect.provide(observed))
      // An exporter may look at all of a span, its exit included.
      const shown = spans.map(({ name, attributes, events, links, status }) => ({
        name,
        attributes: [...attributes],
        events,
        links,
        exit: status._tag === "Ended" ? status.exit : undefined
      }))
      const seen = [exits, lines, shown]
      const text = [
        JSON.stringify(seen, (_, value) => (typeof value === "bigint" ? String(value) : value)),
        inspect(seen, { depth: 20, showHidden: true }),
        ...exits.flat().map((exit) => (Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""))
      ].join("\n")
      assert.isAtLeast(spans.length, 45)
      assert.include(text, "http.request.method")
      assert.notMatch(text, /hidden-(secret|token)|Signature=[0-9a-f]/)
    })
  )
})
