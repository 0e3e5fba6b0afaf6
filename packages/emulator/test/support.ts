import { OssEmulator } from "@effect-oss/emulator"
import OSS from "ali-oss"
import { Effect, Schedule } from "effect"

export const credential = { accessKeyId: "test-id", accessKeySecret: "test-secret" }

export const bucket = "test-bucket"

/** What ali-oss's types lack: `sldEnable` is path style. */
export type AliOssOptions = Partial<OSS.Options> & {
  readonly sldEnable?: boolean
  readonly headerEncoding?: "utf-8" | "latin1"
}

/** ali-oss as its users set it up, against the emulator. */
export const aliOss = (url: string, options: AliOssOptions = {}): OSS =>
  new OSS({ ...credential, region: "oss-cn-hangzhou", endpoint: url, bucket, ...options })

/** The emulator over HTTP, with one known access key, for one effect. */
export const withServer =
  (options: OssEmulator.ServerOptions = {}) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provide(effect, OssEmulator.layer({ credentials: [credential], ...options }))

/** What a promise of ali-oss rejects with. */
export const rejection = (run: () => Promise<unknown>) =>
  Effect.tryPromise({ try: run, catch: (error) => error as Error & Record<string, unknown> }).pipe(
    Effect.flip
  )

/** Bytes that differ from place to place, the same each time. */
export const bytesOf = (size: number, seed = 1): Uint8Array => {
  const bytes = new Uint8Array(size)
  let state = seed
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}

/** Waits until real I/O has come so far; fails after ten seconds. */
export const eventually = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  done: (value: A) => boolean
): Effect.Effect<A, E | "it never came so far", R> =>
  effect.pipe(
    Effect.filterOrFail(done, () => "it never came so far" as const),
    Effect.retry({
      times: 1000,
      schedule: Schedule.spaced("10 millis"),
      while: (error) => error === "it never came so far"
    })
  )
