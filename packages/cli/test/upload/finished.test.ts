/** What a command has finished is remembered until all of it has ended well. */
import { assert, layer } from "@effect/vitest"
import { Body } from "@effect-oss/core"
import { Fault } from "@effect-oss/emulator"
import { Effect, FileSystem } from "effect"
import { KiB, runHere, World } from "../support.ts"

/** A directory of three files, of which the last one is refused at first. */
const begun = Effect.fnUntraced(function* (name: string) {
  const { directory, env, emulator, file, client } = yield* World
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(`${directory}/${name}`)
  for (const each of ["1", "2", "3"]) {
    const { path } = yield* file(`${name}/${each}`, 200 * KiB)
    // OSS tells times in whole seconds: a file of this very second may be newer than its object.
    yield* fs.utimes(path, 1_000_000_000, 1_000_000_000)
  }
  const state = `${directory}/${name}-state`
  const args = ["upload", `${directory}/${name}`, "oss://bucket/", "--checkpoint-dir", state]
  const upload = (...flags: ReadonlyArray<string>) => runHere([...args, ...flags], env)
  yield* emulator.inject(
    Fault.answer({ operation: "put", key: `${name}/3`, status: 403, code: "AccessDenied" })
  )
  const first = yield* upload()
  assert.strictEqual(first.code, 3)
  // Some of the third file has left, too, before its refusal arrives.
  assert.match(first.out, /\n2 uploaded, 1 failed, \d+\.\d KiB sent/)
  const left = Effect.map(fs.readDirectory(state), (names) =>
    names.filter((name) => name.endsWith(".finished"))
  )
  return { fs, root: `${directory}/${name}`, state, upload, left, client, emulator }
})

layer(World.layer, { excludeTestServices: true })("what is finished", (it) => {
  it.effect("is not sent again, and is forgotten once all has ended well", () =>
    Effect.gen(function* () {
      const { upload, left } = yield* begun("again")
      assert.lengthOf(yield* left, 1)
      const second = yield* upload()
      assert.deepStrictEqual([second.code, second.error], [0, ""])
      assert.match(second.out, /\n1 uploaded, 2 identical, 200\.0 KiB sent/)
      assert.lengthOf(yield* left, 0)
      assert.match((yield* upload()).out, /\n3 uploaded, 600\.0 KiB sent/)
    })
  )

  it.effect("goes up again if the file has changed", () =>
    Effect.gen(function* () {
      const { upload, fs, root } = yield* begun("changed")
      yield* fs.writeFileString(`${root}/1`, "changed")
      assert.match((yield* upload()).out, /\n2 uploaded, 1 identical/)
    })
  )

  it.effect("goes up again if the object is gone, or another one", () =>
    Effect.gen(function* () {
      const { upload, client } = yield* begun("replaced")
      yield* client.put({ key: "replaced/2", body: bodyOf(200 * KiB) })
      assert.match((yield* upload()).out, /\n2 uploaded, 1 identical/)
    })
  )

  it.effect("is read with care: damage costs an upload, never a failure", () =>
    Effect.gen(function* () {
      const { upload, fs, state, left } = yield* begun("damaged")
      const [name] = yield* left
      const path = `${state}/${name}`
      const [first = ""] = (yield* fs.readFileString(path)).split("\n")
      yield* fs.writeFileString(path, `${first}\n{"key":"damaged/2","size":"x"}\n{"ke`)
      const { code, out } = yield* upload()
      assert.strictEqual(code, 0)
      assert.match(out, /\n2 uploaded, 1 identical/)
    })
  )

  it.effect("is passed over by size and time without being read, if that is asked for", () =>
    Effect.gen(function* () {
      const { upload, fs, root } = yield* begun("times")
      assert.strictEqual((yield* upload()).code, 0)
      const skipped = yield* upload("--skip", "size-time")
      assert.match(skipped.out, /\n0 uploaded, 3 identical, 0 B sent/)
      const later = (Date.now() + 3_600_000) / 1_000
      yield* fs.utimes(`${root}/1`, later, later)
      assert.match((yield* upload("--skip", "size-time")).out, /\n1 uploaded, 2 identical/)
      assert.match((yield* upload("--skip", "crc64")).out, /\n0 uploaded, 3 identical/)
    })
  )

  it.effect("is swept away with what is old", () =>
    Effect.gen(function* () {
      const { env } = yield* World
      const { state, left } = yield* begun("swept")
      const sweep = (...flags: ReadonlyArray<string>) =>
        runHere(["sweep", "--checkpoint-dir", state, ...flags], env)
      yield* sweep("--older-than", "1h", "--yes")
      yield* sweep("--older-than", "0s")
      assert.lengthOf(yield* left, 1)
      yield* sweep("--older-than", "0s", "--yes")
      assert.lengthOf(yield* left, 0)
    })
  )
})

/** Other bytes of this size. */
const bodyOf = (size: number) => Body.fromBytes(new Uint8Array(size))
