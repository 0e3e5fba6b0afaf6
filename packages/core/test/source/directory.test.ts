import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { UploadMany } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Exit, FileSystem, Layer, Logger, Option, PlatformError, Stream } from "effect"
import type { Path, Scope } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { bucket, world } from "../support/world.ts"
import * as Directory from "../../src/internal/upload/directory.ts"

/** A directory with these files in it: a path that ends with a slash is a directory, and a content with an arrow a link. */
const tree = Effect.fnUntraced(function* (files: Readonly<Record<string, string>>) {
  const fs = yield* FileSystem.FileSystem
  const root = yield* fs.makeTempDirectoryScoped({ prefix: "directory-" })
  for (const [name, content] of Object.entries(files)) {
    const path = `${root}/${name}`
    yield* fs.makeDirectory(path.slice(0, path.lastIndexOf("/")), { recursive: true })
    if (name.endsWith("/")) continue
    if (content.startsWith("-> ")) yield* fs.symlink(content.slice(3), path)
    else yield* fs.writeFileString(path, content)
  }
  return root
})

const test = <E>(
  title: string,
  body: Effect.Effect<
    void,
    E,
    Layer.Success<typeof world> | FileSystem.FileSystem | Path.Path | Scope.Scope
  >
) => it.effect(title, () => Effect.provide(body, [world, NodeServices.layer]))

const keys = (...args: Parameters<typeof UploadMany.directory>) =>
  UploadMany.directory(...args).pipe(
    Stream.map(({ key }) => key),
    Stream.runCollect
  )

/** Uploads all of it: `tag key`, with the reason of an error. */
const uploadAll = (root: string, prefix = "") =>
  UploadMany.uploadAll(UploadMany.directory(root, prefix), { concurrency: 1 }).pipe(
    Stream.map((outcome) => {
      if (outcome._tag !== "Failed") return `${outcome._tag} ${outcome.request.key}`
      const { error, request } = outcome
      const reason = "reason" in error ? error.reason._tag : error._tag
      return `${reason} ${request.key}`
    }),
    Stream.runCollect
  )

describe("UploadMany.directory", () => {
  test(
    "asks for every file at any depth, sorted, under the prefix, with slashes",
    Effect.gen(function* () {
      const root = yield* tree({ "b.txt": "", "a/c/d.txt": "", "a/b.txt": "", "empty/": "", Z: "" })
      assert.deepStrictEqual(yield* keys(root, ""), ["Z", "a/b.txt", "a/c/d.txt", "b.txt"])
      assert.deepStrictEqual((yield* keys(root, "site"))[0], "site/Z")
      assert.deepStrictEqual((yield* keys(`${root}/`, "site/"))[1], "site/a/b.txt")
    })
  )

  test(
    "uploads what the files hold",
    Effect.gen(function* () {
      const root = yield* tree({ "a/x": "one", "数据 😀.txt": "two", "c d%20": "three" })
      const uploaded = yield* uploadAll(root, "p")
      assert.deepStrictEqual(uploaded, [
        "Completed p/a/x",
        "Completed p/c d%20",
        "Completed p/数据 😀.txt"
      ])
      const emulator = yield* OssEmulator.OssEmulator
      const object = yield* Effect.fromOption(yield* emulator.object(bucket, "p/数据 😀.txt"))
      assert.strictEqual(new TextDecoder().decode(yield* object.bytes), "two")
    })
  )

  test(
    "takes hidden files for files like others",
    Effect.gen(function* () {
      const root = yield* tree({ ".env": "", ".git/config": "", "a/.b": "" })
      assert.deepStrictEqual(yield* keys(root, ""), [".env", ".git/config", "a/.b"])
    })
  )

  test(
    "includes and excludes by pattern",
    Effect.gen(function* () {
      const root = yield* tree({
        "a.jpg": "",
        "a.txt": "",
        "sub/.cache/b.jpg": "",
        "sub/b.jpg": "",
        "sub/deep/c.jpg": "",
        "sub/deep/c.tmp": ""
      })
      assert.deepStrictEqual(yield* keys(root, "", { include: ["**/*.jpg"] }), [
        "a.jpg",
        "sub/.cache/b.jpg",
        "sub/b.jpg",
        "sub/deep/c.jpg"
      ])
      assert.deepStrictEqual(yield* keys(root, "", { exclude: ["**/.cache", "**/*.tmp"] }), [
        "a.jpg",
        "a.txt",
        "sub/b.jpg",
        "sub/deep/c.jpg"
      ])
      const both = { include: ["/*.jpg", "sub/*.jpg"], exclude: ["a.*"] }
      assert.deepStrictEqual(yield* keys(root, "", both), ["sub/b.jpg"])
      assert.deepStrictEqual(yield* keys(root, "", { include: ["deep"] }), [
        "sub/deep/c.jpg",
        "sub/deep/c.tmp"
      ])
    })
  )

  test(
    "matches a pattern without a slash at any depth, and one with a slash from the root",
    Effect.gen(function* () {
      const root = yield* tree({
        ".env": "",
        "a/.env": "",
        "a/b/key.pem": "",
        "a/top": "",
        "cache/x": "",
        "file/cache": "",
        "key.pem": "",
        top: ""
      })
      const left = (...exclude: ReadonlyArray<string>) => keys(root, "", { exclude })
      assert.deepStrictEqual(yield* left("*.pem", ".env", "cache/"), ["a/top", "file/cache", "top"])
      assert.deepStrictEqual(yield* left("/top", "a/b/*.pem", "a/b", "**/.env", "/cache"), [
        "a/top",
        "file/cache",
        "key.pem"
      ])
      const entries = yield* Stream.runCollect(
        Directory.entries(root, { include: ["a", "*.jpg"], exclude: [".env", "*.tmp"] })
      )
      const used = new Set(entries.flatMap(({ patterns }) => patterns))
      assert.deepStrictEqual([...used].toSorted(), [".env", "a"])
    })
  )

  test(
    "follows links to directories if asked to, and notices cycles",
    Effect.gen(function* () {
      const root = yield* tree({
        "a/file": "one",
        "a/up": "-> ..",
        "b/other": "-> ../a",
        "b/self": "-> .",
        "c/there": "-> ../d",
        "d/back": "-> ../c"
      })
      const found = yield* Stream.runCollect(Directory.entries(root, { links: "follow" }))
      assert.deepStrictEqual(
        found.map(
          (entry) => `${entry._tag === "LeftOut" ? entry.reason : entry._tag} ${entry.name}`
        ),
        [
          "File a/file",
          "Cycle a/up",
          "File b/other/file",
          "Cycle b/other/up",
          "Cycle b/self",
          "Cycle c/there/back",
          "Cycle d/back/there"
        ]
      )
    })
  )

  test(
    "lets links to directories fail if asked to",
    Effect.gen(function* () {
      const root = yield* tree({ "dir/file": "", link: "-> dir" })
      const found = yield* Stream.runCollect(Directory.entries(root, { links: "fail" }))
      assert.deepStrictEqual(
        found.map(({ _tag, name }) => `${_tag} ${name}`),
        ["File dir/file", "Failed link"]
      )
    })
  )

  test(
    "leaves out pipes and sockets, and says so",
    Effect.gen(function* () {
      const root = yield* tree({ file: "" })
      execFileSync("mkfifo", [`${root}/pipe`])
      const found = yield* Stream.runCollect(Directory.entries(root))
      assert.deepStrictEqual(
        found.map(
          (entry) => `${entry._tag === "LeftOut" ? entry.reason : entry._tag} ${entry.name}`
        ),
        ["File file", "NotAFile pipe"]
      )
      const said: Array<unknown> = []
      const logger = Logger.make(({ message }) => said.push(message))
      yield* Effect.provide(keys(root, ""), Logger.layer([logger]))
      assert.deepStrictEqual(said, [
        [`${root}/pipe is left out: it is a pipe, a socket or a device`]
      ])
    })
  )

  test(
    "has names that are not UTF-8 fail by themselves, beside one that looks like them",
    Effect.gen(function* () {
      const root = yield* tree({ "\uFFFD.txt": "genuine", a: "" })
      for (const byte of [0xff, 0xfe]) {
        const path = Buffer.concat([
          Buffer.from(`${root}/`),
          Buffer.from([byte]),
          Buffer.from(".txt")
        ])
        writeFileSync(path, "not UTF-8")
      }
      mkdirSync(Buffer.concat([Buffer.from(`${root}/dir`), Buffer.from([0xe9])]))
      const uploaded = yield* uploadAll(root)
      assert.deepStrictEqual(uploaded.toSorted(), [
        "Completed a",
        "Completed \uFFFD.txt",
        "SourceUnreadable dir\uFFFD",
        "SourceUnreadable \uFFFD.txt",
        "SourceUnreadable \uFFFD.txt"
      ])
      const emulator = yield* OssEmulator.OssEmulator
      const object = yield* Effect.fromOption(yield* emulator.object(bucket, "\uFFFD.txt"))
      assert.strictEqual(new TextDecoder().decode(yield* object.bytes), "genuine")
    })
  )

  test(
    "uploads what a link to a file points to, leaves out links to directories, and fails broken ones",
    Effect.gen(function* () {
      const root = yield* tree({
        "dir/file": "content",
        broken: "-> nowhere",
        loop: "-> .",
        toDir: "-> dir",
        toFile: "-> dir/file"
      })
      assert.deepStrictEqual(yield* uploadAll(root), [
        "SourceNotFound broken",
        "Completed dir/file",
        "Completed toFile"
      ])
    })
  )

  test(
    "has a name that can't be a key fail by itself",
    Effect.gen(function* () {
      const deep = Array.from({ length: 5 }, () => "x".repeat(240)).join("/")
      const root = yield* tree({ "\\windows": "", a: "", [deep]: "" })
      assert.deepStrictEqual(yield* uploadAll(root), [
        "InvalidRequest \\windows",
        "Completed a",
        `InvalidRequest ${deep}`
      ])
    })
  )

  test(
    "has a directory that can't be listed fail by itself, and lists no excluded one",
    Effect.gen(function* () {
      const root = yield* tree({ "a/1": "", "b/2": "", "c/3": "", z: "" })
      const fs = yield* FileSystem.FileSystem
      const listed: Array<string> = []
      const denied = FileSystem.FileSystem.of({
        ...fs,
        readDirectoryEntries: (path) => {
          listed.push(path.slice(root.length))
          const denied = PlatformError.systemError({
            _tag: "PermissionDenied",
            module: "FileSystem",
            method: "readDirectoryEntries",
            pathOrDescriptor: path
          })
          return path.endsWith("/b") ? Effect.fail(denied) : fs.readDirectoryEntries(path)
        }
      })
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* uploadAll(root), [
          "Completed a/1",
          "SourceUnreadable b",
          "Completed c/3",
          "Completed z"
        ])
        listed.length = 0
        yield* keys(root, "", { exclude: ["b", "c/"] })
        assert.deepStrictEqual(listed, ["", "/a"])
      }).pipe(Effect.provideService(FileSystem.FileSystem, denied))
    })
  )

  test(
    "asks a file system that tells no types in lists for each",
    Effect.gen(function* () {
      const root = yield* tree({ "a/1": "", link: "-> a", z: "" })
      const fs = yield* FileSystem.FileSystem
      const untyped = FileSystem.FileSystem.of({
        ...fs,
        readDirectoryEntries: (path) =>
          Effect.map(fs.readDirectoryEntries(path), (entries) =>
            entries.map(({ name }) => ({ name, type: "Unknown" }))
          )
      })
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(yield* keys(root, ""), ["a/1", "z"])
      }).pipe(Effect.provideService(FileSystem.FileSystem, untyped))
    })
  )

  test(
    "fails if it is not there, or no directory",
    Effect.gen(function* () {
      const root = yield* tree({ file: "" })
      const error = yield* Effect.flip(keys(`${root}/nowhere`, ""))
      assert.strictEqual(error.reason._tag, "SourceNotFound")
      assert.isTrue(Exit.isFailure(yield* Effect.exit(keys(`${root}/file`, ""))))
    })
  )

  test(
    "has a file that is gone meanwhile fail by itself",
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const root = yield* tree({ a: "", b: "" })
      const outcomes = yield* UploadMany.directory(root, "").pipe(
        Stream.tap(() => fs.remove(`${root}/b`, { force: true })),
        (requests) => UploadMany.uploadAll(requests, { concurrency: 1 }),
        Stream.runCollect
      )
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        ["Completed", "Failed"]
      )
      const emulator = yield* OssEmulator.OssEmulator
      assert.isTrue(Option.isNone(yield* emulator.object(bucket, "b")))
    })
  )
})
