/**
 * `node packages/cluster/test/soak.ts --seconds N --seed S`: worlds of uploads
 * whose runners are killed and suspended, one after the other, for so long;
 * prints figures as JSON, and fails at the first thing that is wrong. The
 * server is that of DATABASE_URL, or one for as long as this takes; each world
 * has a database of its own there. `--restart SECONDS` restarts that server
 * again and again, `--load N` keeps N processes busy beside it, `--worlds N`
 * ends after so many.
 */
import { spawn } from "node:child_process"
import { parseArgs } from "node:util"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { restartable, server } from "../../sql-store/test/postgres.ts"
import * as Processes from "./processes.ts"

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    files: { type: "string", default: "30" },
    worlds: { type: "string", default: "1000000" },
    restart: { type: "string" },
    load: { type: "string", default: "0" }
  }
})

const blows = ["kill", "suspend", "kill", "kill", "suspend"] as const

const world = (server: string, seed: number) =>
  Processes.runOn(server, `effect_oss_soak_${process.pid}_${seed}`, {
    seed,
    files: Number(values.files),
    largeSize: 60 * 2 ** 20,
    latency: 50,
    blows,
    runners: 3
  })

/** A server that is there, or that goes away now and then. */
const database = Effect.gen(function* () {
  const { restart: seconds } = values
  if (seconds === undefined) return yield* server
  const { url, restart } = yield* restartable
  yield* Effect.forkScoped(
    Effect.forever(Effect.andThen(Effect.sleep(Number(seconds) * 1_000), restart))
  )
  return url
})

/** Processes that take what they can get of the machine. */
const busy = (count: number) =>
  Effect.forEach(Array.from({ length: count }), () =>
    Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
  )

Effect.gen(function* () {
  const url = yield* database
  yield* busy(Number(values.load))
  const end = performance.now() + Number(values.seconds) * 1_000
  const first = Number(values.seed)
  const last = first + Number(values.worlds)
  for (let seed = first; seed < last && performance.now() < end; seed++) {
    const figures = yield* world(url, seed)
    yield* Console.log(JSON.stringify({ seed, ...figures }))
    if (figures.wrong.length > 0 || figures.duplicates > figures.explained) {
      return yield* Effect.die(new Error(`seed ${seed} went wrong`))
    }
  }
}).pipe(Effect.scoped, NodeRuntime.runMain)
