/** Traces, metrics and logs of uploads, sent to a collector by Effect's own OTLP layer. */
import { OssClient, Source, Upload } from "@effect-oss/core"
import { FsCheckpointStore } from "@effect-oss/node-fs-store"
import { NodeOssHttp } from "@effect-oss/node-http"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Config, Effect, Layer, References } from "effect"
import { Otlp } from "effect/observability"

/** To where `OTEL_EXPORTER_OTLP_ENDPOINT` says. */
const telemetry = Layer.unwrap(
  Effect.map(Config.String("OTEL_EXPORTER_OTLP_ENDPOINT"), (baseUrl) =>
    Otlp.layerJson({ baseUrl, resource: { serviceName: "backup" } })
  )
)

/** At level Debug, what happens to an upload is logged too, with its bucket, key and upload id. */
export const program = Upload.upload({ key: "db.tar", source: Source.file("db.tar") }).pipe(
  Effect.provideService(References.MinimumLogLevel, "Debug")
)

if (import.meta.main) {
  program.pipe(
    Effect.provide([
      OssClient.layerConfig(),
      FsCheckpointStore.layer({ directory: ".effect-oss" }),
      telemetry
    ]),
    Effect.provide([NodeOssHttp.layer(), NodeServices.layer]),
    NodeRuntime.runMain
  )
}
