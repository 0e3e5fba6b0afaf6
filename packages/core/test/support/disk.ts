/** A file system with one file that behaves as a test says. */
import { ByteSize, Cause, Effect, FileSystem, Logger, Option, PlatformError } from "effect"

export interface Disk {
  /** What the bytes are, whatever the size says. */
  length: number
  /** What `stat` says. */
  size: number
  modified: number
  inode: number
  /** The error that a call ends with. */
  /** What is added to each byte: another content. */
  change: (offset: number) => number
  readonly failing: Partial<Record<"stat" | "open" | "read" | "close", string>>
  /** Called before each read. */
  onRead: () => void
  stats: number
  reads: number
}

export const disk = (given: Partial<Disk> = {}): Disk => ({
  length: given.size ?? 0,
  size: 0,
  modified: Date.UTC(2029, 0, 1),
  inode: 1,
  change: () => 0,
  failing: {},
  onRead: () => undefined,
  stats: 0,
  reads: 0,
  ...given
})

/** What stands at an offset. */
export const byteAt = (offset: number) => (offset * 31) % 251

export const contentOn = ({ length, change }: Disk) =>
  Uint8Array.from({ length }, (_, at) => byteAt(at) + change(at))

/** As Node says it. */
const systemError = (method: string, code: string) =>
  PlatformError.systemError({
    _tag: "Unknown",
    module: "FileSystem",
    method,
    pathOrDescriptor: "/share/file",
    cause: Object.assign(new Error(`${code}: something is wrong, ${method}`), { code })
  })

export const fileSystem = (disk: Disk) => {
  const failing = (method: keyof Disk["failing"]) => {
    const code = disk.failing[method]
    return code === undefined ? Effect.void : Effect.fail(systemError(method, code))
  }
  const read: FileSystem.File["read"] = (buffer, options) =>
    Effect.gen(function* () {
      disk.reads++
      disk.onRead()
      yield* failing("read")
      const from = Number(options?.position ?? 0)
      const read = Math.max(0, Math.min(buffer.length, disk.length - from))
      for (let at = 0; at < read; at++) buffer[at] = byteAt(from + at) + disk.change(from + at)
      return read
    })
  return FileSystem.layerNoop({
    realPath: Effect.succeed,
    stat: () =>
      Effect.andThen(
        failing("stat"),
        Effect.sync(() => {
          disk.stats++
          return {
            type: "File" as const,
            mtime: Option.some(new Date(disk.modified)),
            ino: Option.some(BigInt(disk.inode)),
            size: ByteSize.bytes(disk.size)
          } as unknown as FileSystem.File.Info
        })
      ),
    open: () =>
      Effect.acquireRelease(
        Effect.as(failing("open"), { read } as FileSystem.File),
        // As Effect's own: a handle that can't be closed is a defect.
        () => Effect.orDie(failing("close"))
      )
  })
}

/** Keeps what is logged, as text. */
export const logged = () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message, cause }) => {
    lines.push(`${logLevel} ${String(message)} ${Cause.pretty(cause)}`)
  })
  return { lines, layer: Logger.layer([logger]) }
}
