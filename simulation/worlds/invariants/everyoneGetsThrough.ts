import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

/** In calm no uploader needs more attempts, not even while another holds the checkpoint. */
export const maxTries = 100

/** An uploader that is not through by then, in milliseconds after the world has calmed down, hangs. */
export const patience = 6 * 3_600_000

/** `world.ts` checks this one: it counts the attempts and the time. */
export const make = (_: History): Invariant => ({
  promise:
    "Once nothing fails any more, each uploader succeeds, or fails for a reason that another attempt can't mend."
})
