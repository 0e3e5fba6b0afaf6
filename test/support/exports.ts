/** The names that a module exports, read from its text. */
import { Effect, FileSystem } from "effect"
import { dirname, join } from "node:path/posix"
import { root } from "./command.ts"

const declared =
  /^export (?:declare )?(?:abstract )?(?:const|function|class|interface|type) (\w+)/gm
const listed = /^export (?:type )?\{([^}]*)\}/gm
const forwarded = /^export (?:type )?\* from "(\.[^"]*)"/gm

/**
 * Each export as `file#name`, by the file that declares it: what two modules
 * export is one name. A namespace of a barrel is no name of its own.
 */
export const entriesOf: (
  file: string
) => Effect.Effect<ReadonlyArray<string>, unknown, FileSystem.FileSystem> = Effect.fnUntraced(
  function* (file: string) {
    const fs = yield* FileSystem.FileSystem
    const text = yield* fs.readFileString(`${root}/${file}`)
    const own = Array.from(text.matchAll(declared), ([, name]) => `${file}#${name}`)
    const lists = Array.from(text.matchAll(listed), ([, names = ""]) => names.split(",")).flat()
    const from = new Map(
      Array.from(
        text.matchAll(/^(?:import|export) (?:type )?\{([^}]*)\} from "(\.[^"]*)"/gm),
        ([, names = "", path = ""]) =>
          names.split(",").map((name) => [name.trim(), join(dirname(file), path)] as const)
      ).flat()
    )
    const named = lists
      .map((name) => name.trim())
      .filter((name) => name !== "")
      .map((name) => `${from.get(name) ?? file}#${name}`)
    const others = yield* Effect.forEach(Array.from(text.matchAll(forwarded)), ([, path = ""]) =>
      entriesOf(join(dirname(file), path))
    )
    return [...own, ...named, ...others.flat()]
  }
)
