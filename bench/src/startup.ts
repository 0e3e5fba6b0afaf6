/** How long the command and small programs take to start. */
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Comparison } from "./Comparison.ts"
import * as C from "./Comparison.ts"
import { contender, MiB, type Place, program } from "./place.ts"
import * as Process from "./Process.ts"

/** The command as it is installed. */
const bundled = (place: Place): string => {
  const directory = place.directory()
  execFileSync(process.execPath, [
    join(import.meta.dirname, "../../packages/cli/bundle.ts"),
    directory
  ])
  // As in the installed package. Where nobody says it, Node tries each file to find out.
  writeFileSync(join(directory, "package.json"), JSON.stringify({ type: "module" }))
  return join(directory, "bin.js")
}

export const startup = (place: Place): Comparison => {
  // Whole also at a share of its size: ali-oss makes no checkpoint of less than 100 KiB.
  const files = place.files(1, MiB)
  const cli = bundled(place)
  const [file = ""] = files
  const connection = (endpoint: string) => ["--endpoint", endpoint, "--path-style", "--no-progress"]
  const directory = place.directory()
  return {
    name: "startup",
    title: "Start-up: the command line, and one file of 1 MiB",
    rounds: 7,
    sink: {},
    contenders: [
      program("node -e 0", "-e", "0"),
      program("effect-oss --version", cli, "--version"),
      {
        name: "effect-oss upload",
        command: ({ endpoint }) => ({
          args: [
            cli,
            "upload",
            file,
            "oss://bucket/k",
            "--checkpoint-dir",
            directory,
            ...connection(endpoint)
          ]
        })
      },
      contender(place, "ours", { files }),
      contender(place, "sample", { files }),
      ...["ours", "sample"].map((name) => ({
        name: `${name}, in many modules`,
        command: ({ endpoint }: Process.Sink) =>
          Process.unbundled(name, { files, endpoint, directory })
      }))
    ],
    metrics: [C.wall, C.firstByte],
    ratios: [
      { metric: C.wall, over: ["effect-oss --version", "node -e 0"] },
      {
        metric: { name: "first byte, or all", of: firstByteOrAll },
        over: ["effect-oss upload", "node -e 0"],
        target: [4.5, 3.5]
      }
    ]
  }
}

const firstByteOrAll = ({ sink, firstByteMillis, wallMillis }: Process.Run): number =>
  sink.firstByteAt === 0 ? wallMillis : firstByteMillis
