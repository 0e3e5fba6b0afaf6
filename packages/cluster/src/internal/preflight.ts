/**
 * Checks that a runner has everything it needs before it takes work. A runner
 * without keys, for example, would fail each of its uploads for good.
 */
import type { OssError } from "@effect-oss/core/OssError"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Effect from "effect/Effect"
import { FileSystem } from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { Buckets } from "../Buckets.ts"
import { isUrl } from "./roots.ts"
import type { Target } from "./targets.ts"

type Check = Effect.Effect<void, OssError | InvalidRequest, Buckets | FileSystem>

/** Everything that is missing; empty if the runner is ready. */
export const problems = Effect.fnUntraced(function* (options: {
  readonly roots: ReadonlyArray<string>
  readonly targets?: ReadonlyArray<Target> | undefined
}) {
  const { roots, targets } = options
  const checks: ReadonlyArray<Check> = [
    ...(roots.length === 0 ? [Effect.fail(noRoot)] : roots.map(root)),
    Effect.flatMap(Buckets, ({ check }) => check),
    ...(targets === undefined ? [settings] : targets.map(target))
  ]
  const found = yield* Effect.forEach(checks, (check) => Effect.option(Effect.flip(check)))
  return found.flatMap(Option.toArray)
})

const noRoot = new InvalidRequest({
  field: "roots",
  problem: "there is none, so that every source would be refused",
  remedy: "give the directories that hold sources"
})

const unusable = (problem: string) =>
  new InvalidRequest({
    field: "roots",
    problem,
    remedy: "give a directory of this machine that this user can read, or the beginning of a URL"
  })

const root = (root: string): Check => {
  if (isUrl(root)) {
    return /^https?:\/\/$/.test(root) || URL.canParse(root)
      ? Effect.void
      : Effect.fail(unusable(`${root} is no URL`))
  }
  return Effect.gen(function* () {
    const fs = yield* FileSystem
    const { type } = yield* fs.stat(root)
    if (type !== "Directory") return yield* unusable(`${root} is no directory`)
    yield* fs.access(root, { readable: true })
  }).pipe(
    Effect.catchTag("PlatformError", ({ reason }) =>
      Effect.fail(
        unusable(
          reason._tag === "NotFound"
            ? `there is no directory ${root}`
            : `${root} can't be read: ${reason.message}`
        )
      )
    )
  )
}

/** Checks the keys and the other settings of a client. Any bucket will do. */
const settings: Check = Effect.scoped(
  Effect.asVoid(Buckets.use((buckets) => buckets.client("effect-oss-preflight")))
)

/** A short network failure must not prevent the start. */
const patience = Schedule.exponential("500 millis").pipe(Schedule.upTo({ times: 5 }))

/** Begins an upload and aborts it: no other request shows as reliably that objects can be stored there. */
const target = ({ bucket, prefix }: Target): Check =>
  Effect.gen(function* () {
    const client = yield* Buckets.use((buckets) => buckets.client(bucket))
    const key = `${prefix}.effect-oss-preflight`
    const retried = { schedule: patience, while: (error: OssError) => error.isRetryable }
    const { uploadId } = yield* Effect.retry(client.initiate(key), retried)
    yield* Effect.retry(client.abort({ key, uploadId }), retried)
  }).pipe(Effect.scoped)
