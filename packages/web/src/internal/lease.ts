/**
 * A Web Lock as the lease on a checkpoint: one tab or worker of the browser has
 * it, and the browser gives it free when that one closes, crashes or is killed.
 */
import { Busy, CheckpointError } from "@effect-oss/core/CheckpointStore"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { failure } from "./database.ts"

/** Held until the scope closes. */
export interface Lease {
  /** Whether somebody has taken it away. */
  readonly isLost: () => boolean
}

interface Held extends Lease {
  /** Settles once the browser has given the lock free. */
  readonly release: () => Promise<unknown>
}

/** Fails with `Busy` at once if another one has it. */
export const acquire = (
  name: string,
  location: string
): Effect.Effect<Lease, CheckpointError, Scope.Scope> =>
  Effect.acquireRelease(request(name, location), ({ release }) => Effect.promise(release))

const request = (name: string, location: string): Effect.Effect<Held, CheckpointError> =>
  Effect.callback((resume) => {
    if (globalThis.navigator?.locks === undefined) {
      return resume(Effect.fail(failure(location, noLocks)))
    }
    let isLost = false
    let free: (() => void) | undefined
    const lock = navigator.locks
      .request(name, { ifAvailable: true }, (granted) => {
        if (granted === null) {
          resume(Effect.fail(new CheckpointError({ location, reason: busy })))
          return undefined
        }
        const held = new Promise<void>((resolve) => (free = resolve))
        resume(
          Effect.succeed({
            isLost: () => isLost,
            release: () => {
              free?.()
              return lock
            }
          })
        )
        return held
      })
      .catch((cause: unknown) => {
        isLost = true
        // Does nothing if the lock was there and was taken away later.
        resume(Effect.fail(failure(location, cause)))
      })
  })

const busy = new Busy({ holder: "another tab of this browser, or another upload of this page" })

const noLocks = new Error("there are no Web Locks here: load the page over HTTPS or from localhost")
