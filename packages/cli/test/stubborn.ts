/** Keeps a line at the bottom of the screen, and takes as many milliseconds as its argument says to stop. */
import { Console, Effect } from "effect"
import { explain } from "../src/internal/Explain.ts"
import { orInterrupted } from "../src/internal/signals.ts"
import { layerOutput } from "../src/internal/processOutput.ts"
import { Output } from "../src/internal/Output.ts"

const stop = Console.log("stopped").pipe(Effect.delay(Number(process.argv[2])))

const stubborn = Output.use(({ out, screen }) =>
  Effect.andThen(out("ready\n"), screen.pin(["[####----]  at work"]))
).pipe(
  Effect.andThen(Effect.never),
  Effect.onInterrupt(() => stop)
)

// As an open connection would.
setInterval(() => {}, 1_000)

Effect.runPromise(
  orInterrupted(stubborn).pipe(
    Effect.catchTag("Interrupted", (interrupted) =>
      Effect.sync(() => process.exit(explain(interrupted).exitCode))
    ),
    Effect.provide(layerOutput)
  )
)
