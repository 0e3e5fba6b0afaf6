/** Which files are meant: what is refused, left out or missing is said before anything is sent. */
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { execFileSync } from "node:child_process"
import { nothingSecret, parse, run, runHere, World } from "../support.ts"

/** A directory of the test's own with these files, a link where the content is `-> path`, and the command in it. */
const tree = Effect.fnUntraced(function* (name: string, files: Readonly<Record<string, string>>) {
  const { directory, env, emulator } = yield* World
  const fs = yield* FileSystem.FileSystem
  const root = `${directory}/${name}`
  for (const [file, content] of Object.entries(files)) {
    const path = `${root}/${file}`
    yield* fs.makeDirectory(path.slice(0, path.lastIndexOf("/")), { recursive: true })
    if (content.startsWith("-> ")) yield* fs.symlink(content.slice(3), path)
    else yield* fs.writeFileString(path, content)
  }
  const requests = Effect.map(emulator.log, ({ length }) => length)
  return {
    root,
    fs,
    env,
    requests,
    upload: (...args: ReadonlyArray<string>) => runHere(["upload", ...args], env)
  }
})

/** The keys below a folder that have been stored. */
const keysBelow = (folder: string) =>
  Effect.flatMap(World, ({ emulator }) =>
    Effect.map(emulator.log, (log) => {
      const stored = log.filter(
        ({ operation, outcome }) =>
          operation === "put" && outcome._tag === "Answered" && outcome.status === 200
      )
      const keys = stored.map(({ key = "" }) => key).filter((key) => key.startsWith(folder))
      return [...new Set(keys)].toSorted()
    })
  )

layer(World.layer, { excludeTestServices: true })("which files are uploaded", (it) => {
  it.effect("two files to one key are refused before anything is sent, and both named", () =>
    Effect.gen(function* () {
      const { root, upload, requests } = yield* tree("twice", {
        "2025/db.tar": "old",
        "2026/db.tar": "new",
        "a/logs/x": "1",
        "b/logs/x": "2",
        "nfc/caf\u00E9": "1",
        "nfd/cafe\u0301": "2"
      })
      const before = yield* requests
      for (const [first, second] of [
        ["2025/db.tar", "2026/db.tar"],
        ["a/logs", "b/logs"],
        ["nfc/", "nfd/"]
      ]) {
        const args = [`${root}/${first}`, `${root}/${second}`, "oss://bucket/twice/"]
        const { code, out, error } = yield* upload(...args)
        assert.deepStrictEqual([code, out], [2, ""])
        assert.match(error, /^error: two files go to oss:\/\/bucket\/twice\/.*: \S+ and \S+\n/)
      }
      assert.strictEqual(yield* requests, before)
    })
  )

  it.effect("a pattern without a slash matches at any depth, so that no secret goes up", () =>
    Effect.gen(function* () {
      const { root, upload } = yield* tree("secrets", {
        ".env": "s",
        "app/.env": "s",
        "app/deep/key.pem": "s",
        "app/index.js": "x",
        "key.pem": "s"
      })
      const flags = ["--exclude", "*.pem", "--exclude", ".env"]
      const { code } = yield* upload(`${root}/`, "oss://bucket/secrets/", ...flags)
      assert.strictEqual(code, 0)
      assert.deepStrictEqual(yield* keysBelow("secrets/"), ["secrets/app/index.js"])
    })
  )

  it.effect(
    "a pattern that matches nothing, an open bracket, and nothing at all end it with 1",
    () =>
      Effect.gen(function* () {
        const { root, upload, requests, fs } = yield* tree("empty", { "a.txt": "x", "b/.keep": "" })
        yield* fs.makeDirectory(`${root}/none`)
        const before = yield* requests
        for (const [path, flags, problem] of [
          [root, ["--exclude", "*.pme"], /--exclude "\*\.pme" matches nothing/],
          [root, ["--include", "*.jpg"], /--include "\*\.jpg" matches nothing/],
          [root, ["--exclude", "[a-"], /--exclude "\[a-": a bracket is not closed/],
          [`${root}/none`, [], /there is nothing to upload/]
        ] as const) {
          const { code, error } = yield* upload(path, "oss://bucket/", ...flags)
          assert.match(error, problem)
          assert.match(error, /\n {2}→ .*--allow-empty/)
          assert.strictEqual(code, 1)
        }
        const mistyped = [`${root}/missing`, `${root}/a.txt`, "oss://bucket/", "--exclude", "x"]
        const { code, error } = yield* upload(...mistyped)
        assert.match(error, /"x" matches nothing, and .*\/missing can't be read\n/)
        assert.strictEqual(code, 1)
        assert.strictEqual(yield* requests, before)
        const allowed = yield* upload(`${root}/none`, "oss://bucket/", "--allow-empty")
        assert.deepStrictEqual([allowed.code, allowed.error], [0, ""])
        assert.match(allowed.out, /^0 uploaded/)
      })
  )

  it.effect(
    "links to directories and special files are left out and said, and the rest succeeds",
    () =>
      Effect.gen(function* () {
        const { root, upload } = yield* tree("links", {
          "a/file": "x",
          loop: "-> .",
          "to-a": "-> a",
          "to-file": "-> a/file"
        })
        execFileSync("mkfifo", [`${root}/pipe`])
        const skipped = yield* upload(root, "oss://bucket/skip/")
        assert.strictEqual(skipped.code, 0)
        assert.match(skipped.error, /^left out: \S+\/loop: a link to a directory; --links follow/m)
        assert.match(skipped.error, /^left out: 1 pipe, socket or device$/m)
        assert.match(skipped.out, /\n2 uploaded/)
        const followed = yield* upload(root, "oss://bucket/follow/", "--links", "follow")
        assert.strictEqual(followed.code, 0)
        assert.match(followed.error, /loop: a link to a directory around it/)
        assert.deepStrictEqual(yield* keysBelow("follow/"), [
          "follow/links/a/file",
          "follow/links/to-a/file",
          "follow/links/to-file"
        ])
        const failed = yield* upload(root, "oss://bucket/fail/", "--links", "fail", "--json")
        assert.strictEqual(failed.code, 3)
        assert.lengthOf(
          parse(failed.out).filter(({ _tag, key }) => _tag === "Failed" && key !== undefined),
          2
        )
      })
  )

  it.effect("a broken link or an unreadable file of many ends it with 3, not with 2", () =>
    Effect.gen(function* () {
      const { root, upload } = yield* tree("broken", { a: "x", b: "-> nowhere" })
      const { code, error } = yield* upload(root, "oss://bucket/")
      assert.strictEqual(code, 3)
      assert.match(error, /error: 1 of 2 uploads failed\n/)
    })
  )

  it.effect("a slash at the end, and a dot, stand for the content", () =>
    Effect.gen(function* () {
      const { root, upload } = yield* tree("photos", { "1.jpg": "x" })
      yield* upload(root, "oss://bucket/whole/")
      yield* upload(`${root}/`, "oss://bucket/content/")
      yield* upload(`${root}/.`, "oss://bucket/dot/")
      assert.deepStrictEqual(yield* keysBelow("whole/"), ["whole/photos/1.jpg"])
      assert.deepStrictEqual(yield* keysBelow("content/"), ["content/1.jpg"])
      assert.deepStrictEqual(yield* keysBelow("dot/"), ["dot/1.jpg"])
    })
  )

  it.effect("by age, date and size", () =>
    Effect.gen(function* () {
      const { root, upload, fs } = yield* tree("ages", {
        new: "x",
        large: "x".repeat(2000),
        old: "x"
      })
      yield* fs.utimes(`${root}/old`, 0, 0)
      const dry = (...flags: ReadonlyArray<string>) =>
        Effect.map(
          upload(`${root}/`, "oss://bucket/", "--dry-run", "--json", ...flags),
          ({ out }) => parse(out).map(({ key }) => key)
        )
      assert.deepStrictEqual(yield* dry("--newer-than", "7d"), ["large", "new"])
      assert.deepStrictEqual(yield* dry("--newer-than", "1999-12-31"), ["large", "new"])
      assert.deepStrictEqual(yield* dry("--max-size", "1KB"), ["new", "old"])
      const wrong = yield* upload(`${root}/`, "oss://bucket/", "--newer-than", "soon")
      assert.strictEqual(wrong.code, 2)
      assert.match(wrong.error, /--newer-than: "soon" is neither an age nor a date/)
    })
  )

  it.effect("a dry run says what would go where, and asks OSS nothing", () =>
    Effect.gen(function* () {
      const { root, upload, requests } = yield* tree("dry", { "a/x": "123", y: "" })
      const before = yield* requests
      const { code, out } = yield* upload(root, "oss://bucket/to/", "--dry-run")
      assert.strictEqual(code, 0)
      assert.strictEqual(
        out,
        `would upload ${root}/a/x (3 B) to oss://bucket/to/dry/a/x\nwould upload ${root}/y (0 B) to oss://bucket/to/dry/y\nnothing was sent: 2 files, 3 B\n`
      )
      assert.strictEqual(yield* requests, before)
    })
  )

  it.effect.each(["\n", "\0"])("a list of paths, separated by %j", (separator) =>
    Effect.gen(function* () {
      const { root, fs, env } = yield* tree("list", { "a/x": "1", "b c": "2", d: "3" })
      const folder = separator === "\n" ? "lines" : "nul"
      yield* fs.writeFileString(`${root}/d`, ["a/x", "./b c", "a"].join(separator))
      const args = ["upload", "--files-from", `${root}/d`, `oss://bucket/${folder}/`]
      const { code, error } = yield* run(args, { env, cwd: root })
      assert.deepStrictEqual([code, error], [0, ""])
      assert.deepStrictEqual(yield* keysBelow(folder), [`${folder}/a/x`, `${folder}/b c`])
      const piped = ["upload", "--files-from", "-", `oss://bucket/${folder}-piped/`]
      yield* run(piped, { env, cwd: root, input: "d\n" })
      assert.deepStrictEqual(yield* keysBelow(`${folder}-piped`), [`${folder}-piped/d`])
    })
  )

  it.effect("no secret and no stack was ever written", () => Effect.sync(nothingSecret))
})
