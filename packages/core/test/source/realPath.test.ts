import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import type { Path, Scope } from "effect"
import { TestClock } from "effect/testing"
import * as RealPath from "../../src/internal/source/realPath.ts"

const test = <E>(
  title: string,
  body: Effect.Effect<void, E, FileSystem.FileSystem | Path.Path | Scope.Scope>
) => it.effect(title, () => Effect.provide(body, NodeServices.layer))

/** Files `a`, `b` and `c` in a directory, one more in another, and links of all kinds; which paths were resolved. */
const files = Effect.gen(function* () {
  const node = yield* FileSystem.FileSystem
  const root = yield* Effect.flatMap(node.makeTempDirectoryScoped(), node.realPath)
  yield* node.makeDirectory(`${root}/one`)
  yield* node.makeDirectory(`${root}/two`)
  for (const name of ["one/a", "one/b", "one/c", "two/a"]) {
    yield* node.writeFileString(`${root}/${name}`, name)
  }
  yield* node.symlink(`${root}/two/a`, `${root}/one/link`)
  yield* node.symlink("one", `${root}/current`)
  const resolved: Array<string> = []
  const fs = {
    ...node,
    realPath: (path: string) => {
      resolved.push(path.slice(root.length))
      return node.realPath(path)
    }
  }
  const real = (name: string) =>
    Effect.map(RealPath.of(fs, `${root}/${name}`), (path) => path.slice(root.length + 1))
  return { node, root, real, resolved }
})

test(
  "files of one directory are resolved with one look at it",
  Effect.gen(function* () {
    const { real, resolved } = yield* files
    const paths = yield* Effect.forEach(["one/a", "one/b", "one/c", "one/a"], real)
    assert.deepStrictEqual(paths, ["one/a", "one/b", "one/c", "one/a"])
    assert.deepStrictEqual(resolved, ["/one/a", "/one"])
  })
)

test(
  "links, to files and of directories, lead to what they are links of",
  Effect.gen(function* () {
    const { real } = yield* files
    const names = ["one/a", "one/b", "one/link", "current/a", "current/b", "current/link"]
    const paths = yield* Effect.forEach(names, real)
    assert.deepStrictEqual(paths, ["one/a", "one/b", "two/a", "one/a", "one/b", "two/a"])
    assert.strictEqual(yield* real("current/../two/a"), "two/a")
  })
)

test(
  "a directory that is another one after a second is looked at again",
  Effect.gen(function* () {
    const { node, root, real } = yield* files
    yield* Effect.forEach(["current/a", "current/b"], real)
    yield* node.remove(`${root}/current`)
    yield* node.symlink("two", `${root}/current`)
    yield* TestClock.adjust("1 second")
    assert.strictEqual(yield* real("current/a"), "two/a")
  })
)

test(
  "what isn't there is an error",
  Effect.gen(function* () {
    const { real } = yield* files
    yield* Effect.forEach(["one/a", "one/b"], real)
    const error = yield* Effect.flip(real("one/nothing"))
    assert.strictEqual(error.reason._tag, "NotFound")
  })
)
