/** Copies a URL into an object: handlers for AWS Lambda and for Function Compute. */
import { CheckpointStore, OssClient, Source, Upload } from "@effect-oss/core"
import type { OssCredentials } from "@effect-oss/core"
import { NodeOssHttp } from "@effect-oss/node-http"
import { Effect, Layer, ManagedRuntime, Redacted } from "effect"

interface Job {
  readonly url: string
  readonly key: string
}

/** Built when the first invocation needs it, and kept for those that the same process serves later. */
const runtime = ManagedRuntime.make(Layer.merge(NodeOssHttp.layer(), CheckpointStore.layerMemory))

const variable = (name: string) => process.env[name] ?? ""

/** Stops before the platform ends the process; the next try goes on with the parts that OSS has. */
const copy = ({ url, key }: Job, millis: number, credentials: OssCredentials.Credentials) => {
  const client = OssClient.layer({
    bucket: variable("OSS_BUCKET"),
    region: variable("OSS_REGION"),
    endpoint: process.env["OSS_ENDPOINT"],
    credentials
  })
  return Upload.upload({ key, source: Source.http(url), discover: true }).pipe(
    Effect.timeout(Math.max(0, millis - 3_000)),
    Effect.provide(client),
    runtime.runPromise
  )
}

/** `functions.lambda` in AWS Lambda; the function's environment has the keys. */
export const lambda = (event: Job, context: { getRemainingTimeInMillis(): number }) =>
  copy(event, context.getRemainingTimeInMillis(), {
    accessKeyId: variable("OSS_ACCESS_KEY_ID"),
    accessKeySecret: Redacted.make(variable("OSS_ACCESS_KEY_SECRET"))
  })

/** `functions.functionCompute` in Function Compute; the keys are those of the function's role. */
export const functionCompute = (event: Uint8Array, context: FunctionComputeContext) =>
  copy(JSON.parse(new TextDecoder().decode(event)), context.function.timeout * 1_000, {
    accessKeyId: context.credentials.accessKeyId,
    accessKeySecret: Redacted.make(context.credentials.accessKeySecret),
    securityToken: Redacted.make(context.credentials.securityToken)
  })

interface FunctionComputeContext {
  readonly function: { readonly timeout: number }
  readonly credentials: {
    readonly accessKeyId: string
    readonly accessKeySecret: string
    readonly securityToken: string
  }
}
