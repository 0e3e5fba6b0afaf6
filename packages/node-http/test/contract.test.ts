import { OssEmulator } from "@effect-oss/emulator"
import { Effect, Layer, Redacted } from "effect"
import { OssClient } from "@effect-oss/core"
import { ossClientContract } from "../../core/test/support/OssClientContract.ts"
import { NodeOssHttp } from "../src/index.ts"

const keys = { accessKeyId: "test-id", accessKeySecret: "test-secret" }

/** An emulator that checks signatures, and a client of it. */
const overNode = Layer.unwrap(
  Effect.map(OssEmulator.OssEmulator, ({ url }) =>
    OssClient.layer({
      bucket: "test-bucket",
      endpoint: url,
      credentials: { ...keys, accessKeySecret: Redacted.make(keys.accessKeySecret) }
    })
  )
).pipe(
  Layer.provideMerge(OssEmulator.layer({ credentials: [keys] })),
  Layer.provide(NodeOssHttp.layer())
)

ossClientContract("the client over NodeOssHttp", overNode, true)
