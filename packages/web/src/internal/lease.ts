/**
 * A Web Lock as the lease on a checkpoint. One tab or worker of the browser
 * holds it. The browser releases it when that tab closes, crashes or is killed.
 */
import { Busy, CheckpointError } from "@effect-oss/core/CheckpointStore"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { failure } from "./database.ts"

/** Held until the scope closes. */
export interface Lease {
  /** True if the lock was taken away. */
  readonly isLost: () => boolean
}

interface Held extends Lease {
  /** Settles once the browser has released the lock. */
  readonly release: () => Promise<unknown>
}

/** Fails at once with `Busy` if another tab or upload holds it. */
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
        // Has no effect if the lock was granted and taken away later.
        resume(Effect.fail(failure(location, cause)))
      })
  })

const busy = new Busy({ holder: "another tab of this browser, or another upload of this page" })

const noLocks = new Error("there are no Web Locks here: load the page over HTTPS or from localhost")
