import * as Effect from "effect/Effect"
import { show } from "../../kernel/text.ts"
import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = ({ trace, server }: History): Invariant => ({
  promise: "Each request ends.",
  atTheEnd: () => {
    // A stalled request is never answered; the process that sent it has died.
    const open = Effect.runSync(server.emulator.log).filter(
      ({ ended, outcome }) => ended === undefined && outcome._tag !== "Stalled"
    )
    if (open.length > 0) trace.violated(`requests are still open: ${show(open)}`)
  }
})
