/**
 * File systems count times in ticks. A second change within one tick doesn't
 * show, so a file is only read once its last change is older than a tick.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"

/**
 * Waits until the file has been unchanged for a tick, and returns its state.
 * Gives up on a file that changes all the time.
 */
export const leftAlone = <E>(
  info: FileSystem.File.Info,
  stat: Effect.Effect<FileSystem.File.Info, E>,
  fingerprintOf: (info: FileSystem.File.Info) => string,
  looks = 10
): Effect.Effect<FileSystem.File.Info, E> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const wait = untilTick(info, now)
    if (wait === 0 || looks === 0) return Effect.succeed(info)
    return Effect.filterOrElse(
      Effect.delay(stat, wait),
      (next) => fingerprintOf(next) === fingerprintOf(info),
      (next) => leftAlone(next, stat, fingerprintOf, looks - 1)
    )
  })

/** How many milliseconds to wait until another change would show. */
const untilTick = ({ mtime }: FileSystem.File.Info, now: number): number => {
  if (Option.isNone(mtime)) return 0
  const modified = mtime.value.getTime()
  const tick = modified % 1_000 === 0 ? coarseTick : fineTick
  const age = now - modified
  // A time in the future means that one of the clocks is wrong.
  return age < 0 ? (age > -aheadAtMost ? tick : 0) : Math.max(0, tick - age)
}

/** Linux: at most 10 ms. */
const fineTick = 20
/** FAT: 2 s. */
const coarseTick = 2_000
const aheadAtMost = 10 * 60_000
