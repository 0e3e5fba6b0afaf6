import { NodeServices } from "@effect/platform-node"
import { OssEmulator } from "@effect-oss/emulator"
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { beforeAll } from "vitest"
import { root } from "../support/command.ts"
import { cases } from "./cases/index.ts"
import { appliesInProcess, runInProcess } from "./inProcess.ts"
import { given } from "./endpoint.ts"
import { runOverHttp, type Target } from "./overHttp.ts"
import { count, page } from "./table.ts"

const keys = { accessKeyId: "test-id", accessKeySecret: "test-secret" }
const bucket = "conformance"
const region = "cn-hangzhou"

const all = cases.flatMap(([, group]) => group)
const keyOf = (index: number) => `effect-oss-conformance/${Date.now().toString(36)}-${index}`

layer(OssEmulator.layer({ credentials: [keys], buckets: [bucket], region }), {
  excludeTestServices: true
})("the emulator over HTTP", (it) => {
  it.effect.each(all.map((each, index) => [each.rule, each, index] as const))(
    "%s",
    ([, each, index]) =>
      Effect.flatMap(OssEmulator.OssEmulator, ({ url }) =>
        runOverHttp({ endpoint: url, bucket, region, keys }, each, keyOf(index))
      )
  )
})

describe("the client without I/O", () => {
  const applicable = all.filter(appliesInProcess)
  it.effect.each(applicable.map((each, index) => [each.rule, each, index] as const))(
    "%s",
    ([, each, index]) => runInProcess(each, keyOf(index))
  )

  it("is asked a good part of the cases", () => {
    assert.isAtLeast(applicable.length, 35)
  })
})

describe.skipIf(process.env["CONFORMANCE_ENDPOINT"] === undefined)(
  `the endpoint ${process.env["CONFORMANCE_ENDPOINT"]}`,
  () => {
    let target: Target
    beforeAll(async () => {
      target = await Effect.runPromise(given)
    })
    it.live.each(all.map((each, index) => [each.rule, each, index] as const))(
      "%s",
      ([, each, index]) => runOverHttp(target, each, keyOf(index))
    )
  }
)

describe("the cases", () => {
  it("are at least 120, each with a rule of its own and a source", () => {
    assert.isAtLeast(count, 120)
    assert.strictEqual(new Set(all.map(({ rule }) => rule)).size, count)
    for (const { source } of all) assert.match(source, /^https:\/\//)
  })

  it.effect("are what docs/conformance.md says; `pnpm conformance` writes it", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const written = yield* fs.readFileString(`${root}/docs/conformance.md`)
      const cells = (text: string) => text.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---")
      assert.strictEqual(cells(written).trim(), cells(page()).trim())
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
