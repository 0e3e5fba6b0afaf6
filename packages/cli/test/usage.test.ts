import { tmpdir } from "node:os"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { NodeServices } from "@effect/platform-node"
import packageJson from "../package.json" with { type: "json" }
import * as Cli from "../src/Cli.ts"
import { command } from "../src/Command.ts"
import { runHere, secret } from "./support.ts"
import { fileURLToPath } from "node:url"

const env = {
  OSS_ACCESS_KEY_ID: "id",
  OSS_ACCESS_KEY_SECRET: secret,
  // Nobody listens here: what is sent would end with 1, not 2.
  OSS_ENDPOINT: "http://127.0.0.1:1",
  XDG_STATE_HOME: `${tmpdir()}/effect-oss-usage`
}
const file = fileURLToPath(import.meta.url)
const url = "oss://bucket/key"
const upload = (...more: ReadonlyArray<string>) => ["upload", file, url, ...more]

const twoLines = /^error: [^\n]+\n {2}→ [^\n]+\n$/

describe("wrong usage, with exit code 2 and nothing sent:", () => {
  it.live.each<readonly [string, ReadonlyArray<string>, Readonly<Record<string, string>>, RegExp]>([
    [
      "a file whose name begins with a dash, with an h",
      ["upload", "-h.txt", file, url],
      env,
      /unknown flag -h\.txt\n.*\.\/-h\.txt.* -- before/
    ],
    ["a cluster with an h", upload("-xh"), env, /unknown flag -xh\n/],
    ["an unknown flag beside --help", upload("-x", "--help"), env, /unknown flag -x\n/],
    ["a long one beside --help", upload("--wat", "--help"), env, /unknown flag --wat\n/],
    ["one with a value beside -h", upload("--paralel=3", "-h"), env, /unknown flag --paralel\n/],
    ["another command's beside -h", ["pending", "--acl", "-h"], env, /unknown flag --acl\n/],
    ["one beside --help and no command", ["--help", "--wat"], env, /unknown flag --wat\n/],
    ["one that help is asked about", ["help", "upload", "--wat"], env, /unknown flag --wat\n/],
    ["one beside --version", ["--version", "--wat"], env, /unknown flag --wat\n/],
    ["one beside --completions", ["--completions", "zsh", "--wat"], env, /unknown flag --wat\n/],
    ["ls without a bucket", ["ls"], env, /missing: oss:\/\/BUCKET\/PREFIX\n.*which buckets/],
    ["ls of no lines", ["ls", "oss://bucket", "--limit", "0"], env, /--limit: 0 is not possible\n/],
    ["ls of no bucket", ["ls", "bucket/"], env, /"bucket\/" does not name an object\n/],
    ["rm of a whole bucket", ["rm", "oss://bucket/"], env, /does not say which object\n/],
    ["rm of two objects", ["rm", url, url], env, /too many arguments: oss:/],
    [
      "rm of a path that URLs drop",
      ["rm", "oss://bucket/../x"],
      env,
      /the object's key: URLs drop/
    ],
    ["stat of such a path", ["stat", "oss://bucket/../x"], env, /the object's key: URLs drop/],
    [
      "a file whose name begins with two dashes",
      ["upload", "--h.txt", file, url],
      env,
      /unknown flag --h\.txt\n.*\.\/--h\.txt.* -- before/
    ],
    ["help of no command", ["help", "uplaod"], env, /unknown command "uplaod"/],
    ["no command but a file", [file, url], env, /unknown command.*\n.*"effect-oss upload"/],
    ["an object without a file", ["upload", url], env, /missing: FILE\n/],
    ["a mistyped one with an object", ["uplod", "x", url], env, /"uplod"\n.*did you mean upload\?/],
    [
      "a file like no command",
      ["Makefile", url],
      env,
      /"Makefile"\n.*"effect-oss upload" before it/
    ],
    ["an unknown command", ["uplaod"], env, /uplaod.*\n.*did you mean upload\?/],
    ["no arguments", ["upload"], env, /missing: FILE and oss.*\n.*effect-oss upload --help/],
    ["no object", ["upload", file], env, /missing: oss:\/\/BUCKET\/KEY\n/],
    ["an object that isn't last", upload("x"), env, /"x" does not name an object\n.*BUCKET\/KEY/],
    ["an argument that nobody wants", ["pending", "x"], env, /too many arguments: x\n/],
    ["an unknown flag", upload("--paralel", "1"), env, /--paralel.*\n.*did you mean --parallel\?/],
    ["a flag without its value", upload("--region"), env, /--region: .*\n.*give --region REGION/],
    ["a flag that can't be", upload("--json=perhaps"), env, /--json: "perhaps".*\n.*true, yes/],
    ["no URL", ["upload", file, "bucket/key"], env, /"bucket\/key".*\n.*oss:\/\/BUCKET\/KEY/],
    ["arguments swapped", ["upload", url, file], env, /\n.*the file first/],
    ["a bad bucket", ["upload", file, "oss://B/key"], env, /bucket.*"B"/],
    ["a key with ..", ["upload", file, "oss://bucket/a/../b"], env, /key: URLs drop/],
    ["a key that begins with /", ["upload", file, "oss://bucket//a"], env, /key: OSS refuses/],
    ["a key of 2000 bytes", ["upload", file, `${url}${"x".repeat(2000)}`], env, /1023 bytes/],
    ["a part size that is none", upload("--part-size", "8 apples"), env, /--part-size: "8 apples"/],
    ["a part size too small", upload("--part-size", "1KiB"), env, /--part-size: 1024 bytes/],
    ["a part size too large", upload("--part-size", "6GiB"), env, /--part-size: 6442450944 bytes/],
    ["zero parallel", upload("--parallel", "0"), env, /--parallel: 0/],
    ["negative parallel", upload("--parallel", "-1"), env, /--parallel: -1/],
    [
      "a parallel that is no number",
      upload("--parallel", "many"),
      env,
      /--parallel: "many".*\n.*a whole number/
    ],
    ["no such file", ["upload", "/no/such/file", url], env, /\/no\/such\/file: no such file/],
    ["several files to one key", ["upload", file, file, url], env, /one object.*\n.*key\//],
    [
      "a directory to one key",
      ["upload", tmpdir(), url],
      env,
      /a directory.*one object.*\n.*end in a slash.*key\//
    ],
    [
      "a directory among files to one key",
      ["upload", file, tmpdir(), url],
      env,
      /: a directory.*one object.*\n.*key\//
    ],
    ["a rate of nothing", upload("--limit-rate", "0"), env, /--limit-rate/],
    ["a time that is none", upload("--retry-for", "long"), env, /--retry-for: "long"/],
    ["a rate that is none", upload("--limit-rate", "fast"), env, /--limit-rate: "fast"/],
    [
      "no ossutil file",
      upload("--ossutil-config", "/no/such"),
      env,
      /--ossutil-config: .*\/no\/such/
    ],
    [
      "no file of ossutil where it would be",
      upload("--ossutil"),
      { ...env, HOME: "/no/such" },
      /--ossutil: there is no file \/no\/such\/\.ossutilconfig\n.*--ossutil-config FILE/
    ],
    [
      "no file of ossutil where the environment says",
      upload("--ossutil"),
      { ...env, HOME: "/x", OSSUTIL_CONFIG_FILE: "/no/such/file" },
      /--ossutil: there is no file \/no\/such\/file\n/
    ],
    ["no place for ossutil's file", upload("--ossutil"), env, /OSSUTIL_CONFIG_FILE nor HOME/],
    ["an ossutil file that has no value", upload("--ossutil-config"), env, /--ossutil-config FILE/],
    ["an ossutil file without keys", upload("--ossutil-config", file), env, /has no accessKeyID/],
    ["an age that is none", ["sweep", "--older-than", "old"], env, /--older-than: "old".*\n.*7d/],
    ["a sweep without an age", ["sweep"], env, /older-than/],
    ["a device", ["upload", "/dev/null", url], env, /\/dev\/null: not a regular file/],
    ["a bad region", upload("--region", "Cn Hangzhou"), env, /--region or OSS_REGION/],
    ["a bad endpoint", upload("--endpoint", "http://"), env, /--endpoint or OSS_ENDPOINT/],
    ["nowhere to send", upload(), { ...env, OSS_ENDPOINT: "" }, /neither a region nor an endpoint/],
    ["no key id", upload(), { ...env, OSS_ACCESS_KEY_ID: "" }, /OSS_ACCESS_KEY_ID is not set/],
    ["no secret", upload(), { ...env, OSS_ACCESS_KEY_SECRET: "" }, /OSS_ACCESS_KEY_SECRET is not/],
    ["a malformed variable", upload(), { ...env, OSS_PATH_STYLE: "perhaps" }, /OSS_PATH_STYLE/],
    [
      "a checkpoint directory below a file",
      upload("--checkpoint-dir", `${file}/x`),
      env,
      /--checkpoint-dir/
    ],
    ["no home", upload(), { ...env, XDG_STATE_HOME: "state" }, /XDG_STATE_HOME nor HOME/],
    ["an abort without an object", ["abort", "oss://bucket/"], env, /which object.*\n.*--file/],
    ["a port out of range", ["emulator", "--port", "70000"], env, /--port: 70000/],
    ["a bucket that can't be", ["emulator", "--bucket", "B"], env, /--bucket/],
    ["a submission without an object", ["submit", file], env, /missing: oss:\/\/BUCKET\/KEY\n/],
    ["a submission of nothing", ["submit"], env, /missing: FILE and oss/],
    [
      "a submission of several files to one key",
      ["submit", file, file, url],
      env,
      /one object.*\n.*key\//
    ],
    ["a submission to nowhere", ["submit", file, "key"], env, /"key".*\n.*BUCKET\/KEY/],
    [
      "a submission in parts that can't be",
      ["submit", file, url, "--part-size", "8 apples"],
      env,
      /--part-size: "8 apples"/
    ],
    [
      "what becomes of parts that can't be",
      ["submit", file, url, "--on-failure", "hope"],
      env,
      /--on-failure: "hope".*\n.*keep, abort/
    ],
    ["no id", ["status"], env, /missing: ID\n.*effect-oss status --help/],
    ["an id that is none", ["cancel", "x"], env, /"x" is not an upload's id\n.*submit/],
    [
      "a database that isn't known here",
      ["status", "0".repeat(32), "--database-url", "mysql://db"],
      env,
      /--database-url: mysql.*\n.*PostgreSQL/
    ],
    [
      "a database below a file",
      ["status", "0".repeat(32), "--database-url", `${file}/x`],
      env,
      /--database-url: .*\n.*a file/
    ],
    ["a runner of nothing", ["runner", "--activities", "0"], env, /--activities: 0/],
    ["a runner of no parts", ["runner", "--parallel", "0"], env, /--parallel: 0/],
    ["a runner with a port", ["runner", "--port", "7000"], env, /unknown flag --port/],
    [
      "a runner of a server without roots",
      ["runner", "--database-url", "postgres://db/x"],
      env,
      /--root is missing.*\n.*--root \/shared/
    ],
    ["a data directory below a file", ["emulator", "--data-dir", `${file}/x`], env, /--data-dir/]
  ])("%s", ([, args, env, expected]) =>
    Effect.gen(function* () {
      const { code, out, error } = yield* runHere(args, env)
      assert.match(error, twoLines)
      assert.match(error, expected)
      assert.strictEqual(out, "")
      assert.strictEqual(code, 2)
      assert.notInclude(error, secret)
    })
  )

  it.live(
    "with --json it is told on standard output too, even if the arguments can't be read",
    () =>
      Effect.gen(function* () {
        for (const args of [upload("--json", "--part-size", "1KiB"), upload("--json", "--wat")]) {
          const { out, error } = yield* runHere(args, env)
          const { message, remedy, ...rest } = JSON.parse(out)
          assert.deepStrictEqual(rest, { _tag: "Failed", resumable: false, exitCode: 2 })
          assert.strictEqual(error, `error: ${message}\n  → ${remedy}\n`)
        }
      })
  )
})

/** Whatever subcommands there are, of machines that share uploads out too. */
const commands = [
  [],
  ...command.subcommands.flatMap(({ commands }) => commands.map(({ name }) => [name]))
]

const helpCases = commands.flatMap((command) =>
  ["--help", "-h"].map((flag) => ({ name: [...command, flag].join(" "), args: [...command, flag] }))
)

describe("help", () => {
  it.live.each(helpCases)("$name has an example, within 100 columns", ({ args }) =>
    Effect.gen(function* () {
      const { code, out, error } = yield* runHere(args)
      assert.strictEqual(code, 0)
      assert.match(out, /^USAGE$/m)
      assert.match(out, /^EXAMPLES\n(?: .*\n)* +effect-oss /m)
      assert.notInclude(out, "\u001B")
      assert.strictEqual(error, "")
      const lines = out.split("\n")
      assert.deepStrictEqual(
        lines.filter((line) => line.length > 100 || line.endsWith(" ")),
        []
      )
      assert.isTrue(
        lines.every((line) => /^(?: {2}.*|[A-Z :]*|Run 'effect-oss --help'.*)$/.test(line))
      )
    })
  )

  it.live("is what the command prints by itself, and what help COMMAND prints", () =>
    Effect.gen(function* () {
      const pages = [
        [[], ["--help"]],
        [["help"], ["--help"]],
        [
          ["help", "sweep"],
          ["sweep", "--help"]
        ]
      ] as const
      for (const [typed, meant] of pages) {
        assert.deepStrictEqual(yield* runHere(typed), yield* runHere(meant))
        assert.strictEqual((yield* runHere(typed)).code, 0)
      }
    })
  )

  it.live("fits into a narrow terminal", () =>
    Effect.gen(function* () {
      const { out } = yield* runHere(["upload", "--help"], {}, { columns: 60 })
      assert.isAtMost(Math.max(...out.split("\n").map((line) => line.length)), 60)
      const tiny = yield* runHere(["--help"], {}, { columns: 5 })
      assert.isAtMost(Math.max(...tiny.out.split("\n").map((line) => line.length)), 60)
    })
  )

  it("is there for seventeen commands", () => {
    assert.lengthOf(commands, 18)
  })

  it.live("is there beside any flag that the command has", () =>
    Effect.gen(function* () {
      const { out } = yield* runHere(["upload", "--help"])
      const flags = ["--exclude", "*.pem", "--no-path-style", "--parallel=3", "--", "--wat"]
      assert.deepStrictEqual(yield* runHere(["upload", "--help", ...flags]), {
        code: 0,
        out,
        error: ""
      })
    })
  )

  it.live("says what is typed where", () =>
    Effect.gen(function* () {
      const upload = (yield* runHere(["upload", "--help"])).out
      assert.include(upload, "  effect-oss upload [flags] FILE... oss://BUCKET/KEY\n")
      const status = (yield* runHere(["status", "--help"])).out
      assert.include(status, "  effect-oss status [flags] ID...\n")
    })
  )

  it.live("says where checkpoints are, what the units are and what the exit codes mean", () =>
    Effect.gen(function* () {
      const upload = (yield* runHere(["upload", "--help"])).out.replaceAll(/\s+/g, " ")
      assert.include(upload, "$XDG_STATE_HOME/effect-oss, else ~/.local/state/effect-oss")
      assert.include(upload, "KiB, MiB, GiB (powers of 1024; K, M, G mean the same)")
      assert.include(upload, "empty or ends in / gets the file's name appended")
      assert.include((yield* runHere(["--help"])).out, "Exit codes: 0 done; 1 failed")
    })
  )
})

it.live("the version is the package's", () =>
  Effect.gen(function* () {
    assert.strictEqual(Cli.version, packageJson.version)
    const { code, out } = yield* runHere(["--version"])
    assert.deepStrictEqual([code, out], [0, `effect-oss v${packageJson.version}\n`])
    assert.strictEqual((yield* runHere(["version"])).out, out)
  })
)

it.live.each<readonly [string, string | undefined, string, string]>([
  ["below XDG_STATE_HOME", "state", "home", "state"],
  ["below HOME", undefined, "home", "home/.local/state"]
])("checkpoints are kept %s", ([, state, home, parent]) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped()
    const variables = {
      XDG_STATE_HOME: state === undefined ? "" : `${directory}/${state}`,
      HOME: `${directory}/${home}`
    }
    // A file in the way of the directory shows where it would be.
    yield* fs.makeDirectory(`${directory}/${parent}`, { recursive: true })
    yield* fs.writeFileString(`${directory}/${parent}/effect-oss`, "")
    const { code, error } = yield* runHere(upload(), { ...env, ...variables })
    assert.include(error, `error: ${directory}/${parent}/effect-oss: `)
    assert.strictEqual(code, 2)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)
