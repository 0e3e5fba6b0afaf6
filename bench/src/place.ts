/**
 * Where the files of a comparison lie, and how large they are: at a share of
 * their size, a comparison takes a moment and shows that it works.
 */
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Contender } from "./Comparison.ts"
import * as Process from "./Process.ts"
import type { SinkOptions, Task } from "./Protocol.ts"

export const MiB = 2 ** 20
export const GiB = 2 ** 30

/** Files in memory where that can be, so that no disk is measured. */
export interface Place {
  /** A sparse file of so many bytes, or of its share of them. */
  readonly file: (size: number) => string
  /** So many files of so many bytes each, or a share of them. */
  readonly files: (count: number, size: number) => ReadonlyArray<string>
  /** That share of a number or of a size. */
  readonly part: (whole: number) => number
  /** An empty directory for checkpoints. */
  readonly directory: () => string
}

const temporary = (parent: string) =>
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(parent, "effect-oss-bench-"))),
    (root) => Effect.sync(() => rmSync(root, { recursive: true }))
  )

/** A certificate that the sink signs itself, and the file that whoever trusts it reads. */
export const certified = (place: Place) => {
  const directory = place.directory()
  const [key = "", cert = ""] = ["key", "cert"].map((name) => join(directory, `${name}.pem`))
  const options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
  // ali-oss checks the name of the header Host, whatever the address.
  const subjects = "subjectAltName=IP:127.0.0.1,DNS:bucket.oss-cn-hangzhou.aliyuncs.com"
  const names = ["-subj", "/CN=bench", "-addext", subjects]
  execFileSync("openssl", [...options.split(" "), ...names, "-keyout", key, "-out", cert], {
    stdio: "ignore"
  })
  const [keyText, certText] = [key, cert].map((file) => readFileSync(file, "utf8"))
  return { trusted: cert, certificate: { key: keyText ?? "", cert: certText ?? "" } }
}

/** Everything in it is gone when the scope closes. `share` is of the sizes. */
export const place = Effect.fnUntraced(function* (share = 1) {
  const memory = yield* temporary(existsSync("/dev/shm") ? "/dev/shm" : tmpdir())
  // Syncing is part of what is measured.
  const disk = yield* temporary(tmpdir())
  const make = (name: string, size: number) => {
    const path = join(memory, name)
    writeFileSync(path, "")
    truncateSync(path, size)
    return path
  }
  const part = (whole: number) => Math.ceil(whole * share)
  const place: Place = {
    part,
    file: (size) => make(`${size}.bin`, part(size)),
    files: (count, size) =>
      Array.from({ length: part(count) }, (_, index) => make(`${size}-${index}.bin`, size)),
    directory: () => mkdtempSync(join(disk, "checkpoints-"))
  }
  return place
})

export const contender = (
  place: Place,
  name: string,
  task: Omit<Task, "endpoint" | "directory">,
  as = name,
  sink?: SinkOptions
): Contender => {
  const directory = place.directory()
  const { amount } = task
  const scaled = amount === undefined ? task : { ...task, amount: place.part(amount) }
  return {
    name: as,
    command: ({ endpoint }) => Process.contender(name, { ...scaled, endpoint, directory }),
    ...(sink === undefined ? {} : { sink })
  }
}

/** A program that is started with nothing to do. */
export const program = (name: string, ...command: ReadonlyArray<string>): Contender => ({
  name,
  command: () => ({ args: command })
})
