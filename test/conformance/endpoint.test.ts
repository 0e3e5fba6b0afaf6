import { NodeServices } from "@effect/platform-node"
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import { firstLine, run } from "../support/command.ts"

const emulator = fileURLToPath(new URL("../../packages/emulator/src/bin.ts", import.meta.url))

/** What CONTRIBUTING and docs/conformance.md tell you to type, against an emulator of its own. */
const conform = (variables: Readonly<Record<string, string>>) =>
  run("npx", ["vitest", "run", "test/conformance/conformance.test.ts", "-t", "the endpoint"], {
    env: { ...variables, NO_COLOR: "1" }
  })

layer(NodeServices.layer, { excludeTestServices: true })("the cases at another endpoint", (it) => {
  it.effect("hold for an emulator in a process of its own, with keys from the environment", () =>
    Effect.gen(function* () {
      const flags = "--bucket others --region cn-beijing --access-key-id id --access-key-secret key"
      const line = yield* firstLine(process.execPath, [emulator, ...flags.split(" ")])
      const { code, out, error } = yield* conform({
        CONFORMANCE_ENDPOINT: line.replace(/^.*on /, ""),
        CONFORMANCE_REGION: "cn-beijing",
        CONFORMANCE_BUCKET: "others",
        CONFORMANCE_ACCESS_KEY_ID: "id",
        CONFORMANCE_ACCESS_KEY_SECRET: "key"
      })
      assert.strictEqual(code, 0, out + error)
      assert.isAtLeast(Number(/Tests +(\d+) passed/.exec(out)?.[1]), 200, out)
    }).pipe(Effect.scoped)
  )

  it.effect("say in a sentence what is missing, or that nothing answers", () =>
    Effect.gen(function* () {
      const missing = yield* conform({ CONFORMANCE_ENDPOINT: "http://127.0.0.1:1" })
      assert.match(missing.out + missing.error, /CONFORMANCE_….*BUCKET/s)
      const silent = yield* conform({
        CONFORMANCE_ENDPOINT: "http://127.0.0.1:1",
        CONFORMANCE_BUCKET: "others",
        CONFORMANCE_ACCESS_KEY_ID: "id",
        CONFORMANCE_ACCESS_KEY_SECRET: "key"
      })
      assert.match(silent.out + silent.error, /127\.0\.0\.1:1 can't be reached/)
    })
  )
})
