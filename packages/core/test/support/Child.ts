import { Effect } from "effect"
import { spawn } from "node:child_process"

/** A process that prints lines, for tests that kill it. What it reads comes from `tell`. */
export class Child {
  readonly process
  readonly exited
  output = ""
  constructor(command: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv = {}) {
    this.process = spawn(command, args, {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...env }
    })
    this.process.stdout.on("data", (text) => (this.output += text))
    this.exited = new Promise((resolve) => this.process.once("close", resolve))
  }
  get kill() {
    return Effect.promise(() => {
      this.process.kill("SIGKILL")
      return this.exited
    })
  }
  get lines() {
    return this.output.split("\n").slice(0, -1)
  }
  /** Waits until that many lines have been printed. */
  said(count: number) {
    return Effect.sync(() => this.lines).pipe(
      Effect.tap(Effect.sleep("1 millis")),
      Effect.repeat({ until: (lines) => lines.length >= count })
    )
  }
  tell(word: string) {
    return Effect.sync(() => this.process.stdin.write(`${word}\n`))
  }
}
