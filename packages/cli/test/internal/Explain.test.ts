import { CheckpointStore, OssError, Source, UploadError } from "@effect-oss/core"
import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Effect } from "effect"
import { ClusterError } from "@effect-oss/cluster"
import { CliError } from "effect/cli"
import { SqlError } from "effect/sql"
import { Interrupted, SomeFailed, UnderWay, UsageError } from "../../src/internal/CliFailure.ts"
import type { ExitCode, Failure } from "../../src/internal/Explain.ts"
import { explain, explainDefect, gravest, isResumable } from "../../src/internal/Explain.ts"

const oss = (reason: OssError.Reason) =>
  new OssError.OssError({ operation: "uploadPart", bucket: "bucket", key: "key", reason })
const source = (reason: Source.SourceError["reason"]) =>
  new Source.SourceError({ source: "db.tar", reason })
const checkpoint = (reason: CheckpointStore.CheckpointError["reason"]) =>
  new CheckpointStore.CheckpointError({ location: "/state/x.journal", reason })
const request = (field: string) =>
  new UploadError.InvalidRequest({ field, problem: "it is wrong", remedy: "mend it" })
const showHelp = (...errors: ReadonlyArray<CliError.NonShowHelpErrors>) =>
  new CliError.ShowHelp({ commandPath: ["effect-oss", "upload"], errors })

const description = "why"
const denied = new OssError.AccessDenied({ description, permission: "oss:PutObject" })
const refused = (code: string) => oss(new OssError.AccessDenied({ description, code }))
const unavailable = new CheckpointStore.Unavailable({ description })
const unreadable = new Source.SourceUnreadable({ description })

const ofOss: ReadonlyArray<readonly [OssError.OssError, ExitCode, RegExp]> = [
  [oss(new OssError.Transport({ description })), 1, /--endpoint, OSS_ENDPOINT.*again to carry on/],
  [oss(new OssError.Timeout({ millis: 1 })), 1, /--parallel.*again/],
  [oss(new OssError.Stalled({ millis: 1 })), 1, /--parallel.*again/],
  [oss(new OssError.Throttled({})), 1, /--parallel.*again/],
  [oss(new OssError.ServerError({ description })), 1, /wait.*again/],
  [oss(new OssError.UnreadableResponse({ description })), 1, /proxy.*again/],
  [oss(new OssError.NotOss({ status: 403 })), 1, /proxies.*again/],
  [oss(new OssError.Misconnected({ description, remedy: "trust it" })), 3, /trust it/],
  [oss(new OssError.ClockSkew({ offset: 1 })), 1, /clock.*again/],
  [oss(new OssError.CredentialsExpired({ description })), 1, /OSS_SESSION_TOKEN.*again/],
  [oss(new OssError.NoCredentials({ description, advice: "log in" })), 1, /log in.*again/],
  [oss(denied), 3, /oss:PutObject/],
  [oss(new OssError.PublicEndpointForbidden({ description })), 3, /--cname/],
  [oss(new OssError.NoSuchBucket()), 3, /"bucket".*--region/],
  [oss(new OssError.NoSuchKey()), 3, /--endpoint/],
  [oss(new OssError.NoSuchUpload()), 1, /aborts.*again/],
  [oss(new OssError.InvalidPart({ description })), 1, /aborts.*again/],
  [oss(new OssError.AlreadyExists()), 3, /another key/],
  [oss(new OssError.CallbackFailed({ description })), 3, /callback/],
  [oss(new OssError.ChecksumMismatch({ of: "part", expected: 1n, actual: 2n })), 3, /proxies/],
  [oss(new OssError.Rejected({ description, code: "EntityTooLarge" })), 3, /EntityTooLarge/]
]

const refusals: ReadonlyArray<readonly [OssError.OssError, ExitCode, RegExp]> = [
  [answered("put", 403), 3, /oss:PutObject/],
  [answered("complete", 403), 3, /oss:PutObject/],
  [answered("listParts", 403), 3, /oss:ListParts/],
  [answered("abort", 403), 3, /oss:AbortMultipartUpload/],
  [answered("listUploads", 403), 3, /oss:ListMultipartUploads/],
  [answered("head", 403), 3, /oss:GetObject/],
  [answered("put", 418), 3, /418/],
  [refused("SignatureDoesNotMatch"), 3, /OSS_ACCESS_KEY_SECRET/],
  [refused("InvalidAccessKeyId"), 3, /OSS_ACCESS_KEY_ID/],
  [refused("InvalidSecurityToken"), 3, /OSS_SESSION_TOKEN/],
  [oss(new OssError.AccessDenied({ description: "use the specified endpoint" })), 3, /--endpoint/],
  [oss(new OssError.NotOss({ status: 407 })), 1, /HTTPS_PROXY=.*again/],
  [oss(new OssError.NotOss({ status: 413, server: "nginx" })), 1, /--part-size.*again/],
  [oss(new OssError.ChecksumMismatch({ of: "object", expected: 1n, actual: 2n })), 3, /delete it/]
]

/** As the client classifies a response. */
function answered(operation: OssError.Operation, status: number) {
  return oss(OssError.reasonOf({ operation, status, description }))
}

const others: ReadonlyArray<readonly [Failure, ExitCode, RegExp]> = [
  [source(new Source.SourceNotFound()), 2, /exists/],
  [source(new Source.SourceNotAFile({ type: "Directory" })), 2, /tar/],
  [source(new Source.SourceNotAFile({ type: "FIFO" })), 2, /regular file/],
  [source(unreadable), 2, /chmod u\+r db\.tar/],
  [source(new Source.SourceChanged({ description })), 3, /copy/],
  [checkpoint(new CheckpointStore.Busy({ holder: "process 1" })), 1, /wait.*again/],
  [checkpoint(new CheckpointStore.LeaseLost()), 1, /no other upload.*again/],
  [checkpoint(new CheckpointStore.Damaged({ description })), 3, /delete \/state\/x\.journal/],
  [
    checkpoint(new CheckpointStore.UnknownVersion({ version: "9" })),
    3,
    /delete \/state\/x\.journal/
  ],
  [checkpoint(unavailable), 2, /--checkpoint-dir/],
  [new UnderWay({ error: checkpoint(unavailable) }), 1, /space.*again/],
  [new UnderWay({ error: source(unreadable) }), 1, /disk.*again/],
  [new UnderWay({ error: oss(denied) }), 3, /oss:PutObject/],
  [new UnderWay({ error: source(new Source.SourceChanged({ description })) }), 3, /copy/],
  [new ClusterError.Cancelled({ key: "key" }), 3, /submit it again/],
  [database(SqlError.ConnectionError), 1, /--database-url.*again/],
  [database(SqlError.AuthenticationError), 2, /password.*--database-url/],
  [new SomeFailed({ failed: 1, all: 2, exitCode: 1 }), 1, /mend.*again/],
  [new SomeFailed({ failed: 1, all: 2, exitCode: 3 }), 3, /mend/],
  [request("key"), 2, /mend it/],
  [new UsageError({ problem: "wrong", remedy: "do it right" }), 2, /do it right/],
  [new Interrupted({ signal: "SIGINT" }), 130, /run the same command again to carry on/],
  [new Interrupted({ signal: "SIGTERM" }), 143, /run the same command again to carry on/],
  [showHelp(), 2, /effect-oss upload --help/],
  [showHelp(new CliError.MissingArgument({ argument: "url" })), 2, /effect-oss upload --help/],
  [showHelp(unknownFlag()), 2, /did you mean --parallel\?/],
  [new CliError.MissingOption({ option: "x" }), 2, /effect-oss --help/]
]

function database(Reason: typeof SqlError.ConnectionError | typeof SqlError.AuthenticationError) {
  return new SqlError.SqlError({ reason: new Reason({ cause: undefined, message: "it is away" }) })
}

function unknownFlag() {
  return new CliError.UnrecognizedOption({ option: "--paralel", suggestions: ["--parallel"] })
}

describe("an error", () => {
  it.each(
    [...ofOss, ...refusals, ...others].map(([failure, exitCode, todo]) => ({
      name: failure._tag === "UsageError" ? failure._tag : `${failure._tag}: ${failure.message}`,
      failure,
      exitCode,
      todo
    }))
  )("$name ends with $exitCode and says what to do", ({ failure, exitCode, todo }) => {
    const explanation = explain(failure)
    assert.strictEqual(explanation.exitCode, exitCode)
    assert.match(explanation.todo, todo)
    assert.isNotEmpty(explanation.what)
    assert.strictEqual(isResumable(explanation), [1, 130, 143].includes(exitCode))
    assert.strictEqual(
      explanation.todo.includes("run the same command again to carry on"),
      isResumable(explanation)
    )
  })

  it("of OSS is in the table, whatever its reason", () => {
    assert.deepStrictEqual(
      ofOss.map(([error]) => error.reason._tag),
      OssError.Reason.members.map((member) => member.fields._tag.schema.literal)
    )
  })

  it.each([
    ["partSize", "--part-size: it is wrong"],
    ["concurrency", "--parallel: it is wrong"],
    ["region", "--region or OSS_REGION: it is wrong"],
    ["endpoint", "--endpoint or OSS_ENDPOINT: it is wrong"],
    ["bucket", "the bucket: it is wrong"],
    ["source", "source: it is wrong"]
  ])("about the option %s names what was given", (field, what) => {
    assert.strictEqual(explain(request(field)).what, what)
  })

  it("is told in one line, whatever the server or the file's name say", () => {
    const nasty = "line\nline\r\u001B[31m\u2028red\u0000"
    const { what, todo } = explain(new UsageError({ problem: nasty, remedy: nasty }))
    assert.strictEqual(what, "line line [31m red ")
    assert.strictEqual(todo, what)
    const error = new OssError.AccessDenied({ description: nasty })
    assert.notMatch(explain(oss(error)).what, /\p{Cc}/u)
  })

  it("of a database that went away is told as such, though the engine calls it a defect", () => {
    const { what, exitCode } = explainDefect(database(SqlError.ConnectionError))
    assert.deepStrictEqual([what, exitCode], ["the database: it is away", 1])
  })

  it.each<readonly [ReadonlyArray<ExitCode>, ExitCode]>([
    [[2, 2], 2],
    [[2, 3], 3],
    [[3, 2], 3],
    [[3, 1, 2], 1],
    [[2, 130], 1]
  ])("of several, %j, ends with %d", (codes, expected) => {
    assert.strictEqual(codes.reduce<1 | 2 | 3>(gravest, 2), expected)
  })

  it("that should never happen is told without a stack", () => {
    const { what, todo, exitCode } = explainDefect(new TypeError("x is not a function"))
    assert.strictEqual(what, "the program has a defect: TypeError: x is not a function")
    assert.include(todo, "report it")
    assert.strictEqual(exitCode, 1)
  })
})

const failing = (config: Config.Config<unknown>, env: Record<string, string>) =>
  Effect.map(Effect.flip(config.parse(ConfigProvider.fromEnv({ env }))), (error) => explain(error))

describe("the environment", () => {
  it.effect("lacks a key", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* failing(Config.NonEmptyString("OSS_ACCESS_KEY_SECRET"), {}), {
        what: "OSS_ACCESS_KEY_SECRET is not set",
        todo: "set the environment variable OSS_ACCESS_KEY_SECRET",
        exitCode: 2
      })
    })
  )

  it.effect("has a malformed value, which is not shown", () =>
    Effect.gen(function* () {
      const { what, todo, exitCode } = yield* failing(Config.Boolean("OSS_PATH_STYLE"), {
        OSS_PATH_STYLE: "perhaps"
      })
      assert.match(what, /^OSS_PATH_STYLE: .*"true"/)
      assert.notInclude(what + todo, "perhaps")
      assert.match(todo, /OSS_PATH_STYLE/)
      assert.strictEqual(exitCode, 2)
    })
  )
})
