/** What the compiler says of every public export: `.d.ts` files, by the module they are of. */
import { Effect, FileSystem } from "effect"
import type { Document } from "./documents.ts"
import { root, succeed } from "./command.ts"

const compilerOptions = {
  extends: `${root}/tsconfig.base.json`,
  compilerOptions: {
    declaration: true,
    emitDeclarationOnly: true,
    noCheck: true,
    plugins: [],
    lib: ["ES2024", "DOM", "DOM.Iterable"],
    declarationMap: false,
    sourceMap: false,
    rootDir: root,
    typeRoots: [`${root}/node_modules/@types`]
  },
  include: [`${root}/packages/*/src`]
}

/** The declarations of these sources, in their order. */
export const declarationsOf = Effect.fnUntraced(function* (sources: ReadonlyArray<Document>) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* fs.makeTempDirectoryScoped({ prefix: "effect-oss-api-" })
  yield* fs.writeFileString(`${directory}/tsconfig.json`, JSON.stringify(compilerOptions))
  yield* succeed(`${root}/node_modules/.bin/tsc`, ["-p", directory, "--outDir", `${directory}/out`])
  return yield* Effect.forEach(sources, ({ file }) =>
    Effect.map(
      fs.readFileString(`${directory}/out/${file.replace(/\.ts$/, ".d.ts")}`),
      (text): Document => ({ file, text })
    )
  )
}, Effect.scoped)
