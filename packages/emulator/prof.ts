import { Effect, Option } from "effect"
import { OssClient, Body, Crc64 } from "@effect-oss/core"
import { OssEmulator } from "./src/index.ts"
import { createHash } from "node:crypto"
import * as http from "node:http"
import { once } from "node:events"
import { pipeline } from "node:stream/promises"
import { Readable } from "node:stream"
const bytes = new Uint8Array(256 * 1024 * 1024).fill(3)
const time = (n: string, f: () => void) => { const t = performance.now(); f(); console.log(n, Math.round(performance.now() - t), "ms") }
time("md5", () => { const h = createHash("md5"); for (let i = 0; i < bytes.length; i += 65536) h.update(bytes.subarray(i, i + 65536)); h.digest() })
time("crc", () => { let c = 0n; for (let i = 0; i < bytes.length; i += 65536) c = Crc64.of(bytes.subarray(i, i + 65536), c) })
let t = performance.now()
await Effect.runPromise(OssClient.OssClient.use((c) => c.put({ key: "k", body: Body.fromBytes(bytes) })).pipe(Effect.provide(OssEmulator.layerClient())))
console.log("client put", Math.round(performance.now() - t))
import { tmpdir } from "node:os"
import { mkdtempSync } from "node:fs"
const go = (o: any, n: string) => Effect.gen(function* () {
  const e = yield* OssEmulator.OssEmulator
  const t = performance.now()
  const req = http.request(e.url + "/bucket/k", { method: "PUT", headers: { "content-length": bytes.length } })
  const a = once(req, "response")
  function* p() { for (let i = 0; i < bytes.length; i += 262144) yield bytes.subarray(i, i + 262144) }
  yield* Effect.promise(() => pipeline(Readable.from(p()), req))
  yield* Effect.promise(() => a)
  console.log(n, Math.round(performance.now() - t))
}).pipe(Effect.provide(OssEmulator.layer(o)))
await Effect.runPromise(go({}, "http memory"))
await Effect.runPromise(go({ dataDir: mkdtempSync(tmpdir() + "/x") }, "http dir"))
