/** Keys that the command finds where Alibaba's tools have them. */
import { execFileSync } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { keyId, nothingSecret, runHere, secret, World } from "./support.ts"

const without = "ALIBABA_CLOUD_ECS_METADATA_DISABLED"

/** A home of its own with these files, and no keys in variables. */
const home = Effect.fnUntraced(function* (files: Readonly<Record<string, string>>) {
  const { endpoint, file } = yield* World
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped()
  for (const [path, text] of Object.entries(files)) {
    yield* fs.makeDirectory(dirname(`${directory}/${path}`), { recursive: true })
    yield* fs.writeFileString(`${directory}/${path}`, text)
  }
  const { path } = yield* file("keys.bin", 10)
  const env = { HOME: directory, OSS_ENDPOINT: endpoint, OSS_PATH_STYLE: "true", [without]: "true" }
  const upload = (more: ReadonlyArray<string> = [], own: Readonly<Record<string, string>> = {}) =>
    runHere(["upload", path, "oss://bucket/", ...more], { ...env, ...own })
  return { directory, upload }
})

const config = (name: string, key: string) =>
  JSON.stringify({
    current: "wrong",
    profiles: [
      { name: "wrong", mode: "AK", access_key_id: "wrong", access_key_secret: "wrong" },
      { name, mode: "AK", access_key_id: key, access_key_secret: secret }
    ]
  })

layer(World.layer, { excludeTestServices: true })("the command finds keys", (it) => {
  it.effect("in a profile of the aliyun command's, which --profile names", () =>
    Effect.gen(function* () {
      const { upload } = yield* home({ ".aliyun/config.json": config("right", keyId) })
      // Variables with keys don't count then.
      const variables = { OSS_ACCESS_KEY_ID: "wrong", OSS_ACCESS_KEY_SECRET: "wrong" }
      const { code, error } = yield* upload(["--profile", "right"], variables)
      assert.deepStrictEqual([code, error], [0, ""])
      assert.strictEqual((yield* upload()).code, 3)
      nothingSecret()
    }).pipe(Effect.scoped)
  )

  it.effect("in no argument, and repeat none that is given there", () =>
    Effect.gen(function* () {
      const { upload } = yield* home({})
      for (const flag of ["access-key-id", "access-key-secret", "sts-token", "session-token"]) {
        const { code, out, error } = yield* upload([`--${flag}=do-not-show`])
        assert.strictEqual(code, 2)
        assert.include(error, `unknown flag --${flag}`)
        assert.notInclude(out + error, "do-not-show")
      }
    }).pipe(Effect.scoped)
  )

  it.effect("in Alibaba Cloud's variables", () =>
    Effect.gen(function* () {
      const { upload } = yield* home({})
      const { code, error } = yield* upload([], {
        ALIBABA_CLOUD_ACCESS_KEY_ID: keyId,
        ALIBABA_CLOUD_ACCESS_KEY_SECRET: secret
      })
      assert.deepStrictEqual([code, error], [0, ""])
    }).pipe(Effect.scoped)
  )

  it.effect("with ossutil's role as its mode says, and of its profile", () =>
    Effect.gen(function* () {
      const { upload } = yield* home({
        ".ossutilconfig": `[profile util]\nmode=RamRoleArn\naccess-key-id=a\naccess-key-secret=${secret}\n`
      })
      const { code, error } = yield* upload(["--ossutil", "--profile", "util"])
      assert.strictEqual(code, 2)
      assert.match(error, /\.ossutilconfig, profile util: ramrolearn is missing; mode RamRoleArn/)
      nothingSecret()
    }).pipe(Effect.scoped)
  )

  it.effect("in a pipe, as in --ossutil-config <(decrypt keys)", () =>
    Effect.gen(function* () {
      const { directory, upload } = yield* home({})
      const pipe = `${directory}/pipe`
      execFileSync("mkfifo", [pipe])
      const text = `[default]\naccess-key-id=${keyId}\naccess-key-secret=${secret}\n`
      const [{ code, error }] = yield* Effect.all(
        [upload(["--ossutil-config", pipe]), Effect.promise(() => writeFile(pipe, text))],
        { concurrency: 2 }
      )
      assert.deepStrictEqual([code, error], [0, ""])
      nothingSecret()
    }).pipe(Effect.scoped)
  )

  it.effect("but waits for no pipe in the place of a usual file", () =>
    Effect.gen(function* () {
      const { directory, upload } = yield* home({})
      execFileSync("mkfifo", [`${directory}/.ossutilconfig`])
      const { code, error } = yield* upload(["--ossutil"])
      assert.strictEqual(code, 2)
      assert.match(error, /\.ossutilconfig is no regular file/)
    }).pipe(Effect.scoped)
  )

  it.effect("or ends before anything is sent, and says where it looked", () =>
    Effect.gen(function* () {
      const { upload } = yield* home({})
      const { code, error } = yield* upload()
      assert.strictEqual(code, 2)
      assert.match(
        error,
        /^error: there are no keys: .*config\.json doesn't exist; .*\n {2}→ .*\n$/
      )
      const other = yield* upload(["--profile", "none"])
      assert.strictEqual(other.code, 2)
      assert.include(other.error, ".ossutilconfig doesn't exist")
    }).pipe(Effect.scoped)
  )
})
