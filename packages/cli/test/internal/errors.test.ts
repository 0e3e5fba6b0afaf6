import { CheckpointStore, OssError, Source, UploadError } from "@effect-oss/core"
import { NodeServices } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { Array, Cause, Effect, FileSystem, Option } from "effect"
import { explain } from "../../src/internal/Explain.ts"
import type { Failure } from "../../src/internal/Explain.ts"
import { fileURLToPath } from "node:url"

const shown = fileURLToPath(new URL("errors.txt", import.meta.url))

const description = "it was told so"
const oss = (reason: OssError.Reason, status?: number, code?: string) =>
  new OssError.OssError({
    operation: "uploadPart",
    bucket: "backups",
    key: "2026/db.tar",
    partNumber: 7,
    ...(status === undefined ? {} : { status }),
    ...(status === undefined || reason._tag === "NotOss"
      ? {}
      : { requestId: "5C3D9175B6FC201293AD4890" }),
    ...(code === undefined ? {} : { code }),
    reason
  })
const source = (reason: Source.SourceError["reason"]) =>
  new Source.SourceError({ source: "db.tar", reason })
const checkpoint = (reason: CheckpointStore.CheckpointError["reason"]) =>
  new CheckpointStore.CheckpointError({ location: "/state/1a2b.journal", reason })
const damaged = { expected: 11051210869376104954n, actual: 1n }

const all: ReadonlyArray<Failure> = [
  oss(new OssError.Transport({ description: "connect ECONNREFUSED 127.0.0.1:9000" })),
  oss(new OssError.Timeout({ millis: 30_000 })),
  oss(new OssError.Stalled({ millis: 30_000 })),
  oss(new OssError.Throttled({}), 503, "QpsLimitExceeded"),
  oss(new OssError.ServerError({ description }), 500, "InternalError"),
  oss(new OssError.UnreadableResponse({ description }), 200),
  oss(new OssError.NotOss({ status: 302 }), 302),
  oss(new OssError.NotOss({ status: 407, server: "squid" }), 407),
  oss(new OssError.NotOss({ status: 413, server: "nginx" }), 413),
  oss(new OssError.Misconnected({ description, remedy: "trust its certificate" })),
  oss(new OssError.ClockSkew({ offset: 3_600_000 }), 403, "RequestTimeTooSkewed"),
  oss(new OssError.CredentialsExpired({ description }), 403, "SecurityTokenExpired"),
  oss(
    new OssError.NoCredentials({
      description: "STS for acs:ram::1:role/uploads: EntityNotExist.Role",
      advice: "check the role's ARN"
    })
  ),
  oss(new OssError.AccessDenied({ description, permission: "oss:PutObject" }), 403, "AccessDenied"),
  oss(
    new OssError.PublicEndpointForbidden({ description: "it is not allowed" }),
    400,
    "PublicEndpointForbidden"
  ),
  oss(new OssError.NoSuchBucket(), 404, "NoSuchBucket"),
  oss(new OssError.NoSuchKey(), 404, "NoSuchKey"),
  oss(new OssError.NoSuchUpload(), 404, "NoSuchUpload"),
  oss(new OssError.InvalidPart({ description }), 400, "InvalidPart"),
  oss(new OssError.AlreadyExists(), 409, "FileAlreadyExists"),
  oss(new OssError.CallbackFailed({ description }), 203, "CallbackFailed"),
  oss(new OssError.ChecksumMismatch({ of: "part", ...damaged }), 200),
  oss(new OssError.ChecksumMismatch({ of: "object", ...damaged }), 200),
  oss(new OssError.Rejected({ description, code: "EntityTooLarge" }), 400, "EntityTooLarge"),
  source(new Source.SourceNotFound()),
  source(new Source.SourceNotAFile({ type: "Directory" })),
  source(new Source.SourceUnreadable({ description })),
  source(new Source.SourceChanged({ description })),
  checkpoint(new CheckpointStore.Busy({ holder: "process 4711 on host web-1" })),
  checkpoint(new CheckpointStore.LeaseLost()),
  checkpoint(new CheckpointStore.Damaged({ description })),
  checkpoint(new CheckpointStore.UnknownVersion({ version: "9" })),
  checkpoint(new CheckpointStore.Unavailable({ description })),
  checkpoint(new CheckpointStore.Untrusted({ description })),
  new UploadError.InvalidRequest({
    field: "concurrency",
    problem: "0 parts at once is not possible",
    remedy: "give a whole number from 1"
  })
]

const reasonOf = (failure: Failure) =>
  "reason" in failure ? `${failure._tag}, ${failure.reason._tag}` : failure._tag

/** What a program that ends with the failure prints, without where in the program it was made. */
const printed = (failure: Failure): string =>
  Cause.pretty(Cause.fail(failure))
    .split(/\n {4}at /)[0]!
    .trim()

const told = (failure: Failure): string => {
  const { what, todo, exitCode } = explain(failure)
  return [
    `## ${reasonOf(failure)}`,
    `command: error: ${what}`,
    `           → ${todo} [${exitCode}]`,
    `program: ${printed(failure)}`,
    ""
  ].join("\n")
}

describe("errors as a user meets them", () => {
  layer(NodeServices.layer)((it) => {
    it.effect("are those of errors.txt", () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        assert.strictEqual(all.map(told).join("\n"), yield* fs.readFileString(shown))
      })
    )

    it("are all of them", () => {
      type Member = {
        readonly fields: { readonly _tag: { readonly schema: { readonly literal: string } } }
      }
      const tags = (members: ReadonlyArray<Member>) =>
        members.map((member) => member.fields._tag.schema.literal)
      assert.deepStrictEqual(
        Array.dedupe(all.flatMap((failure) => ("reason" in failure ? [failure.reason._tag] : []))),
        [
          ...tags(OssError.Reason.members),
          ...tags(Source.SourceError.fields.reason.members),
          ...tags(CheckpointStore.CheckpointError.fields.reason.members)
        ]
      )
    })

    it("say where: bucket, key, part and request id", () => {
      for (const failure of all) {
        if (failure._tag !== "OssError") continue
        for (const text of [explain(failure).what, printed(failure)]) {
          assert.include(text, "uploadPart backups/2026/db.tar part 7: ")
          const requestId = Option.fromUndefinedOr(failure.requestId)
          assert.strictEqual(text.includes("request id 5C3D"), Option.isSome(requestId))
        }
      }
    })
  })
})
