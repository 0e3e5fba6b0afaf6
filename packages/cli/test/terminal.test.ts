/** The command in a terminal, as a person has it: tmux is the terminal, and is asked what it shows. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Fault, OssEmulator } from "@effect-oss/emulator"
import { Context, Effect, FileSystem, Layer, Option } from "effect"
import type { Scope } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { bin } from "../../../test/support/bin.ts"

const stubborn = fileURLToPath(new URL("stubborn.ts", import.meta.url))

const isInstalled = (program: string): boolean =>
  ["-V", "--version"].some((flag) => {
    try {
      execFileSync(program, [flag], { stdio: "ignore" })
      return true
    } catch {
      return false
    }
  })

const here = isInstalled("tmux")

const credentials = { accessKeyId: "test-key-id", accessKeySecret: "test-secret" }

/** A terminal of 90 columns that belongs to nobody else, and an emulator that stops answering when it is told to. */
class Terminal extends Context.Service<Terminal>()("test/Terminal", {
  make: Effect.gen(function* () {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const fs = yield* FileSystem.FileSystem
    const emulator = yield* OssEmulator.OssEmulator
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-terminal-" })
    const tmux = (...args: ReadonlyArray<string>) =>
      spawner.string(
        ChildProcess.make("tmux", ["-u", "-S", `${directory}/tmux`, "-f", "/dev/null", ...args], {
          env: {
            LC_ALL: "C.UTF-8",
            HOME: directory,
            OSS_ENDPOINT: emulator.url,
            OSS_PATH_STYLE: "true",
            OSS_ACCESS_KEY_ID: credentials.accessKeyId,
            OSS_ACCESS_KEY_SECRET: credentials.accessKeySecret
          },
          extendEnv: true
        })
      )
    yield* Effect.acquireRelease(tmux("new-session", "-d", "-x", "90", "-y", "30", "sh"), () =>
      Effect.ignore(tmux("kill-server"))
    )
    /** Lines that are too wide for it count as one. */
    const screen = Effect.map(tmux("capture-pane", "-p", "-J"), (text) =>
      text.replaceAll(/ +$/gm, "")
    )
    /** Waits for it as long as a machine may take that has other things to do. */
    const shows = Effect.fnUntraced(function* (pattern: RegExp) {
      for (let tries = 0; tries < 600; tries++) {
        const text = yield* screen
        if (pattern.test(text)) return text
        yield* Effect.sleep("100 millis")
      }
      return yield* Effect.die(new Error(`${pattern} never came:\n${yield* screen}`))
    })
    const key = (name: string) => tmux("send-keys", name)
    const type = (line: string) => Effect.andThen(tmux("send-keys", "-l", line), key("Enter"))
    let runs = 0
    /** Runs the command on a screen that is empty, and yields how to wait for its end: what is shown then. */
    const run = Effect.fnUntraced(function* (script: string, args: string, variables = "") {
      const number = ++runs
      const command = `env -u NO_COLOR ${variables} '${process.execPath}' '${script}' ${args}`
      yield* type(`clear; ${command}; echo "ended with $? (run ${number})"`)
      return { ended: shows(new RegExp(`^ended with \\d+ \\(run ${number}\\)`, "m")) }
    })
    const resize = (columns: number, rows: number) =>
      tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`)
    const file = Effect.fnUntraced(function* (name: string, size: number) {
      const path = `${directory}/${name}`
      const content = Uint8Array.from({ length: size }, (_, index) => (index * index) >> 7)
      yield* fs.writeFile(path, content)
      return path
    })
    /** After so many parts of any object, the server says no more. */
    const stallAfter = (parts: number) =>
      emulator.inject(
        Fault.stall({ operation: "uploadPart", skip: parts, times: Infinity, at: "before" })
      )
    yield* shows(/\S/)
    return { directory, emulator, tmux, shows, key, run, resize, file, stallAfter }
  })
}) {
  static readonly layer = Layer.effect(Terminal, Terminal.make).pipe(
    Layer.provideMerge(OssEmulator.layer({ credentials: [credentials], buckets: ["bucket"] })),
    Layer.provideMerge(NodeServices.layer)
  )
}

const linesWith = (text: string, part: string) =>
  text.split("\n").filter((line) => line.includes(part))

if (!here) {
  it("a terminal is NOT TESTED, since there is no tmux; Reporter.test.ts has what it draws", () => {
    assert.isFalse(isInstalled("tmux"))
  })
} else {
  describe("in a terminal", () => {
    const test = <E>(
      name: string,
      body: Effect.Effect<void, E, Terminal | FileSystem.FileSystem | Scope.Scope>
    ) => it.live(name, () => Effect.provide(body, Terminal.layer, { local: true }), 120_000)

    test(
      "a bar at each width, Ctrl-C, how to carry on, and the rest of it",
      Effect.gen(function* () {
        const { run, shows, key, resize, file, stallAfter, emulator } = yield* Terminal
        const path = yield* file("terminal.bin", 3_000_000)
        const args = `upload ${path} oss://bucket/terminal --part-size 100KiB --parallel 2`
        yield* stallAfter(10)
        const { ended } = yield* run(bin, args)
        const wide = yield* shows(/^\[[#=-]+\] {2}34 % {2}1000\.0 KiB of 2\.9 MiB/m)
        assert.lengthOf(linesWith(wide, "%"), 1)
        yield* resize(40, 30)
        const narrow = yield* shows(/^\d+ % {2}1000\.0 KiB of 2\.9 MiB/m)
        assert.lengthOf(linesWith(narrow, "%"), 1)
        yield* resize(70, 30)
        const back = yield* shows(/^\[[#=-]+\] {2}\d+ % {2}1000\.0 KiB of 2\.9 MiB/m)
        assert.lengthOf(linesWith(back, "%"), 1)
        yield* key("C-c")
        const stopped = yield* ended
        assert.match(
          stopped,
          /^kept: 1000\.0 KiB of 2\.9 MiB\nerror: interrupted by SIGINT\n {2}→ run the same command again to carry on\nended with 130 /m
        )
        assert.notMatch(stopped, /%|\^C/)
        yield* emulator.clearFaults
        const done = yield* (yield* run(bin, args)).ended
        assert.match(done, /^resumed: 1000\.0 KiB in 10 parts are there already$/m)
        assert.match(done, /resumed, verified by CRC64\nended with 0 /m)
        assert.notMatch(done, /%/)
        const stored = yield* emulator.object("bucket", "terminal")
        assert.strictEqual(Option.getOrThrow(stored).size, 3_000_000)
      })
    )

    test(
      "a bar for each of many files and one for all, Chinese names, Ctrl-C, and the rest",
      Effect.gen(function* () {
        const { run, shows, key, resize, file, stallAfter, emulator, directory } = yield* Terminal
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${directory}/many`)
        yield* file("many/a.bin", 600_000)
        yield* file("many/杭州西湖的春天在二〇二六年三月.bin", 600_000)
        yield* file("many/small.bin", 10)
        const args = `upload ${directory}/many oss://bucket/ --part-size 100KiB`
        yield* stallAfter(4)
        const { ended } = yield* run(bin, args)
        const wide = yield* shows(
          /^bucket\/many\/small\.bin: 10 B, verified by CRC64\n(\[[#=-]+\] {1,2}\d+ % {2}many\/(a|杭州西湖的春天在二〇二六年三月)\.bin\n){2}\[[#=-]+\] {1,2}\d+ % {2}1 of 3 files {2}[\d.]+ [KM]iB of 1\.1 MiB/m
        )
        assert.lengthOf(linesWith(wide, "%"), 3)
        yield* resize(50, 30)
        const narrow = yield* shows(/…〇二六年三月\.bin$/m)
        assert.lengthOf(linesWith(narrow, "%"), 3)
        yield* resize(90, 5)
        yield* shows(/… and 1 more\n\[[#=-]+\] {1,2}\d+ % {2}1 of 3 files/m)
        yield* resize(90, 30)
        yield* shows(/二〇二六年三月\.bin\n(\[.*\n)?\[[#=-]+\] {1,2}\d+ % {2}1 of 3 files/m)
        yield* key("C-c")
        const stopped = yield* ended
        assert.match(
          stopped,
          /^1 uploaded, .* sent .*(, [\d.]+ KiB of unfinished files kept)?; what is uploaded is remembered, and not sent\s+again\nerror: interrupted by SIGINT\n.*carry on\nended with 130 /m
        )
        assert.notMatch(stopped, /%|\^C/)
        yield* emulator.clearFaults
        const done = yield* (yield* run(bin, args)).ended
        assert.match(
          done,
          /^bucket\/many\/a\.bin: 585\.9 KiB,(?: [\d.]+ KiB resumed,)? verified by CRC64$/m
        )
        assert.match(done, /^2 uploaded, 1 identical, .* sent .*\nended with 0 /m)
        assert.notMatch(done, /%/)
      })
    )

    test(
      "an error stands above the bars, which go on below it",
      Effect.gen(function* () {
        const { run, shows, key, file, stallAfter, directory } = yield* Terminal
        const path = yield* file("fine.bin", 600_000)
        yield* stallAfter(2)
        const args = `upload ${directory}/nosuch ${path} oss://bucket/ --part-size 100KiB`
        const { ended } = yield* run(bin, args)
        const shown = yield* shows(
          /^error: \S+\/nosuch: no such file\n {2}→ give the path of a file that exists\n\[[#=-]+\] {1,2}\d+ % {2}fine\.bin\n\[[#=-]+\] {1,2}\d+ % {2}1 of 2 files .* 1 failed/m
        )
        assert.lengthOf(linesWith(shown, "%"), 2)
        yield* key("C-c")
        assert.notMatch(yield* ended, /%/)
      })
    )

    test(
      "Ctrl-C again ends it at once, and leaves nothing behind",
      Effect.gen(function* () {
        const { run, shows, key } = yield* Terminal
        const { ended } = yield* run(stubborn, "600000")
        yield* shows(/^\[####----\] {2}at work$/m)
        yield* key("C-c")
        // What comes too soon is taken for the same one.
        const again = Effect.forever(Effect.delay(key("C-c"), "1 second"))
        const stopped = yield* Effect.raceFirst(ended, again)
        assert.match(
          stopped,
          /^ready\nerror: interrupted by SIGINT again, stopped at once\n {2}→ run the same command again to carry on\nended with 130 /m
        )
        assert.notMatch(stopped, /at work/)
      })
    )

    test(
      "colours, unless NO_COLOR says otherwise",
      Effect.gen(function* () {
        const { run, shows, key, file, stallAfter, emulator, tmux } = yield* Terminal
        const path = yield* file("color.bin", 600_000)
        yield* stallAfter(3)
        for (const [variables, green] of [
          ["", true],
          ["NO_COLOR=1", false]
        ] as const) {
          const args = `upload ${path} oss://bucket/color --part-size 100KiB`
          const { ended } = yield* run(bin, args, variables)
          yield* shows(/^\[#+=*-*\] .*%/m)
          const styled = yield* tmux("capture-pane", "-p", "-e")
          assert.strictEqual(styled.includes("[\u001B[32m#"), green)
          yield* key("C-c")
          yield* ended
        }
        yield* emulator.clearFaults
      })
    )
  })
}
