import { UploadEvent } from "@effect-oss/core"
import { Display, Screen } from "@effect-oss/terminal"
import { Effect, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"

const command = fileURLToPath(new URL("../../packages/cli/src/bin.ts", import.meta.url))

const decode = Schema.decodeUnknownEffect(
  Schema.fromJsonString(Schema.toCodecJson(UploadEvent.UploadEvent))
)

/**
 * Uploads with the command in a process of its own, shows what it reports, and
 * kills it with SIGKILL once `killAt` bytes are durable.
 */
export const uploadProcess = Effect.fnUntraced(function* (options: {
  readonly emulator: string
  readonly credential: { readonly accessKeyId: string; readonly accessKeySecret: string }
  readonly file: string
  readonly bucket: string
  readonly key: string
  readonly checkpoints: string
  readonly partSize: number
  readonly parallel: number
  readonly killAt: number | undefined
}) {
  const { killAt = Infinity } = options
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const report = yield* Display.make(yield* Screen.standardOutput)
  const child = yield* spawner.spawn(
    ChildProcess.make(
      process.execPath,
      [
        command,
        "upload",
        options.file,
        `oss://${options.bucket}/${options.key}`,
        "--json",
        `--part-size=${options.partSize}`,
        `--parallel=${options.parallel}`,
        `--checkpoint-dir=${options.checkpoints}`,
        `--endpoint=${options.emulator}`
      ],
      {
        env: {
          OSS_ACCESS_KEY_ID: options.credential.accessKeyId,
          OSS_ACCESS_KEY_SECRET: options.credential.accessKeySecret
        },
        extendEnv: true,
        stderr: "inherit"
      }
    )
  )
  let [durable, resumed] = [0, 0]
  yield* child.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.mapEffect((line) => decode(line)),
    Stream.tap(report),
    Stream.takeUntil((event) => {
      if (event._tag === "Resumed") resumed = event.bytes
      if (event._tag === "PartUploaded") durable = event.durable
      return durable >= killAt
    }),
    Stream.runDrain
  )
  if (durable < killAt) return { durable, resumed, exitCode: Number(yield* child.exitCode) }
  yield* child.kill({ killSignal: "SIGKILL" })
  return { durable, resumed, exitCode: undefined }
}, Effect.scoped)
