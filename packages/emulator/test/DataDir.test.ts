import { NodeFileSystem, NodeServices } from "@effect/platform-node"
import { Crc64 } from "@effect-oss/core"
import { OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FileSystem, Layer, Option, PlatformError, Result } from "effect"
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import * as Http from "node:http"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { fileURLToPath } from "node:url"
import * as Journal from "../src/internal/bytes/journal.ts"
import type * as Bucket from "../src/internal/state/model.ts"
import { aliOss, bucket, bytesOf, eventually } from "./support.ts"

const content = Buffer.from(bytesOf(300_000))
const part = content.subarray(0, 150_000)

/** Starts an emulator over the directory, and ends it after the effect. */
const over =
  (dataDir: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, OssEmulator.layer({ dataDir }), { local: true })

const inDirectory = <A, E, R>(use: (dataDir: string) => Effect.Effect<A, E, R>) =>
  FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped()).pipe(
    Effect.flatMap(use),
    Effect.scoped,
    Effect.provide(NodeServices.layer)
  )

const blobsIn = (dataDir: string) =>
  Effect.map(
    FileSystem.FileSystem.use((fs) => fs.readDirectory(`${dataDir}/blobs`)),
    (names) => names.sort()
  )

const used = () => process.memoryUsage().arrayBuffers

const client = Effect.map(OssEmulator.OssEmulator, ({ url }) => aliOss(url))

const begin = Effect.gen(function* () {
  const oss = yield* client
  const { uploadId } = yield* Effect.promise(() => oss.initMultipartUpload("k"))
  const etags: Array<{ number: number; etag: string }> = []
  for (const number of [1, 2]) {
    const sent = yield* Effect.promise(() =>
      oss.uploadPart("k", uploadId, number, part, 0, part.length)
    )
    etags.push({ number, etag: sent.etag })
  }
  return { uploadId, etags }
})

describe("a data directory", () => {
  it.live("outlives the emulator: objects, open uploads and parts", () =>
    inDirectory((dataDir) =>
      Effect.gen(function* () {
        const { uploadId, etags } = yield* over(dataDir)(
          Effect.andThen(
            Effect.flatMap(client, (oss) =>
              Effect.promise(() => oss.put("other", content, { meta: { uid: 7, pid: 8 } }))
            ),
            begin
          )
        )
        yield* over(dataDir)(
          Effect.gen(function* () {
            const oss = yield* client
            const emulator = yield* OssEmulator.OssEmulator
            const head = yield* Effect.promise(() => oss.head("other"))
            assert.deepStrictEqual(head.meta, { uid: "7", pid: "8" } as never)
            yield* Effect.promise(() => oss.completeMultipartUpload("k", uploadId, etags))
            const object = Option.getOrThrow(yield* emulator.object(bucket, "k"))
            assert.deepStrictEqual(Buffer.from(yield* object.bytes), Buffer.concat([part, part]))
            const begun = yield* Effect.promise(() => oss.initMultipartUpload("k"))
            assert.notStrictEqual(begun.uploadId, uploadId)
          })
        )
        yield* over(dataDir)(
          Effect.gen(function* () {
            const emulator = yield* OssEmulator.OssEmulator
            assert.lengthOf(yield* emulator.uploads(bucket), 1)
            const object = Option.getOrThrow(yield* emulator.object(bucket, "k"))
            assert.strictEqual(object.crc64, Crc64.of(Buffer.concat([part, part])))
          })
        )
      })
    )
  )

  it.live("keeps no bytes that nobody can ask for", () =>
    inDirectory((dataDir) =>
      over(dataDir)(
        Effect.gen(function* () {
          const oss = yield* client
          const { uploadId, etags } = yield* begin
          yield* Effect.promise(() => oss.uploadPart("k", uploadId, 1, part, 0, part.length))
          assert.lengthOf(yield* blobsIn(dataDir), 2)
          yield* Effect.promise(() => oss.completeMultipartUpload("k", uploadId, etags.slice(0, 1)))
          assert.lengthOf(yield* blobsIn(dataDir), 1)
          yield* Effect.promise(() => oss.put("k", content))
          assert.lengthOf(yield* blobsIn(dataDir), 1)
          const wrong = { "Content-MD5": createHash("md5").update("x").digest("base64") }
          yield* Effect.exit(Effect.tryPromise(() => oss.put("l", content, { headers: wrong })))
          assert.lengthOf(yield* blobsIn(dataDir), 1)
          const second = yield* begin
          yield* Effect.promise(() => oss.abortMultipartUpload("k", second.uploadId))
          yield* Effect.promise(() => oss.delete("k"))
          assert.deepStrictEqual(yield* blobsIn(dataDir), [])
        })
      )
    )
  )

  it.live("clears away what a kill left behind", () =>
    inDirectory((dataDir) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* over(dataDir)(begin)
        const known = yield* blobsIn(dataDir)
        yield* fs.writeFileString(`${dataDir}/blobs/orphan`, "x")
        yield* fs.writeFileString(`${dataDir}/blobs/unfinished.part`, "x")
        yield* over(dataDir)(Effect.void)
        assert.deepStrictEqual(yield* blobsIn(dataDir), known)
      })
    )
  )

  it.live("an object that is replaced can still be read to its end", () =>
    inDirectory((dataDir) =>
      over(dataDir)(
        Effect.gen(function* () {
          const oss = yield* client
          const old = Buffer.alloc(20_000_000, 1)
          yield* Effect.promise(() => oss.put("k", old))
          const { stream } = yield* Effect.promise(() => oss.getStream("k"))
          const [first] = yield* Effect.promise(() => once(stream, "data"))
          stream.pause()
          yield* Effect.promise(() => oss.put("k", content))
          assert.lengthOf(yield* blobsIn(dataDir), 2)
          const rest = yield* Effect.promise(() => Readable.from(stream).toArray())
          assert.isTrue(Buffer.concat([first as Buffer, ...(rest as Array<Buffer>)]).equals(old))
          yield* eventually(blobsIn(dataDir), (blobs) => blobs.length === 1)
        })
      )
    )
  )

  it.live("takes a big body in bounded memory", () =>
    inDirectory((dataDir) =>
      over(dataDir)(
        Effect.gen(function* () {
          const emulator = yield* OssEmulator.OssEmulator
          const size = 256 * 1024 * 1024
          const piece = Buffer.alloc(256 * 1024, 7)
          const before = used()
          let most = 0
          function* pieces() {
            for (let sent = 0; sent < size; sent += piece.length) {
              most = Math.max(most, used() - before)
              yield piece
            }
          }
          const headers = { "content-length": size }
          const request = Http.request(`${emulator.url}/${bucket}/k`, { method: "PUT", headers })
          const answered = once(request, "response")
          yield* Effect.promise(() => pipeline(Readable.from(pieces()), request))
          const [response] = yield* Effect.promise(() => answered)
          assert.strictEqual((response as Http.IncomingMessage).statusCode, 200)
          const object = Option.getOrThrow(yield* emulator.object(bucket, "k"))
          assert.strictEqual(object.size, size)
          // What the collector has not come to yet counts as well.
          assert.isBelow(most, size / 2)
        })
      )
    )
  )
})

/** Changes the journal of a begun upload; gives how many parts an emulator then finds. */
const damage = (change: (text: string) => string) =>
  inDirectory((dataDir) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const file = `${dataDir}/journal.ndjson`
      yield* over(dataDir)(begin)
      yield* fs.writeFileString(file, change(yield* fs.readFileString(file)))
      return yield* over(dataDir)(
        Effect.gen(function* () {
          const emulator = yield* OssEmulator.OssEmulator
          const parts = (yield* emulator.uploads(bucket))[0]?.parts.length
          yield* Effect.flatMap(client, (oss) => Effect.promise(() => oss.put("l", content)))
          return parts
        })
      ).pipe(
        Effect.tap(() => over(dataDir)(Effect.void)),
        Effect.result
      )
    })
  )

const create = (name: string): Bucket.Command => ({ _tag: "CreateBucket", bucket: name, now: 0 })

describe("the journal", () => {
  it.live("a last line that was cut off is dropped, and what comes after is whole", () =>
    Effect.gen(function* () {
      const parts = yield* damage((text) => text.slice(0, -10))
      assert.deepStrictEqual(parts, Result.succeed(1))
      const none = yield* damage((text) => `${text}{"_tag":"Put`)
      assert.deepStrictEqual(none, Result.succeed(2))
    })
  )

  it.live.each([
    ["that is none", (text: string) => text.replace('"Initiate"', '"Other"'), 2],
    ["that is missing", (text: string) => text.replace(/\n[^\n]*"Initiate"[^\n]*/, ""), 2]
  ] as const)("a line %s is an error that names the place", ([, change, line]) =>
    Effect.gen(function* () {
      const result = yield* damage(change)
      const error = Result.isFailure(result) ? result.failure : undefined
      assert.deepInclude(error, { _tag: "StartError" })
      assert.match(
        String(error?.message),
        new RegExp(`journal\\.ndjson, line ${line}: .*delete .* to start afresh`, "s")
      )
    })
  )

  it.live("a command that does not fit on the disk is not half there", () =>
    inDirectory((dataDir) =>
      Effect.gen(function* () {
        const file = `${dataDir}/journal.ndjson`
        yield* Effect.scoped(
          Effect.gen(function* () {
            const journal = yield* Journal.open(file)
            yield* journal.append(create("first"))
            const refused = yield* Effect.exit(journal.append(create("does-not-fit")))
            assert.isTrue(Exit.isFailure(refused))
            yield* journal.append(create("last"))
          })
        ).pipe(Effect.provide(layerFullDisk))
        const { commands } = yield* Effect.scoped(Journal.open(file))
        assert.deepStrictEqual(commands, [create("first"), create("last")])
      })
    )
  )
})

/** Writes half of what mentions `does-not-fit`, then says that the disk is full. */
const layerFullDisk = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (fs) => ({
    ...fs,
    open: (path, options) =>
      Effect.map(fs.open(path, options), (file) => ({
        ...file,
        truncate: (length) => file.truncate(length),
        writeAll: (bytes) =>
          Buffer.from(bytes).includes("does-not-fit")
            ? Effect.andThen(
                file.writeAll(bytes.subarray(0, bytes.length / 2)),
                Effect.fail(
                  PlatformError.systemError({
                    _tag: "Unknown",
                    module: "FileSystem",
                    method: "writeAll",
                    description: "ENOSPC"
                  })
                )
              )
            : file.writeAll(bytes)
      }))
  }))
).pipe(Layer.provide(NodeFileSystem.layer))

describe("kill -9", () => {
  const program = fileURLToPath(new URL("../src/bin.ts", import.meta.url))

  /** The emulator as a process of its own; gives its url and a way to kill it. */
  const start = (dataDir: string) =>
    Effect.promise(async () => {
      const child = spawn(process.execPath, [program, "--data-dir", dataDir], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      const [line] = (await once(child.stdout, "data")) as [Buffer]
      const url = /listening on (http:\/\/127\.0\.0\.1:\d+)\n/.exec(line.toString())?.[1] ?? ""
      return {
        url,
        kill: async () => {
          child.kill("SIGKILL")
          await once(child, "exit")
        }
      }
    })

  it.live("loses nothing that was acknowledged, and keeps nothing else", () =>
    inDirectory((dataDir) =>
      Effect.gen(function* () {
        const server = yield* start(dataDir)
        const { uploadId } = yield* Effect.promise(() =>
          aliOss(server.url).initMultipartUpload("k")
        )
        const acknowledged = new Map<number, string>()
        const send = Effect.fnUntraced(function* (number: number) {
          const url = `${server.url}/${bucket}/k?partNumber=${number}&uploadId=${uploadId}`
          const body = Buffer.from(bytesOf(100_000 + number, number))
          const answer = yield* Effect.tryPromise(() => fetch(url, { method: "PUT", body }))
          acknowledged.set(number, answer.headers.get("etag") ?? "")
          if (acknowledged.size === 40) yield* Effect.promise(server.kill)
        })
        const numbers = Array.from({ length: 10_000 }, (_, index) => index + 1)
        yield* Effect.exit(Effect.forEach(numbers, send, { concurrency: 4, discard: true }))
        yield* over(dataDir)(
          Effect.gen(function* () {
            const emulator = yield* OssEmulator.OssEmulator
            const parts = (yield* emulator.uploads(bucket))[0]?.parts ?? []
            const kept = new Map(parts.map(({ number, etag }) => [number, etag]))
            assert.isAtLeast(acknowledged.size, 40)
            for (const [number, etag] of acknowledged) assert.strictEqual(kept.get(number), etag)
            // One more each may have been committed without the answer getting through.
            assert.isAtMost(kept.size, acknowledged.size + 4)
            assert.lengthOf(yield* blobsIn(dataDir), kept.size)
            for (const { number, crc64 } of parts) {
              assert.strictEqual(crc64, Crc64.of(bytesOf(100_000 + number, number)))
            }
          })
        )
      })
    )
  )
})
