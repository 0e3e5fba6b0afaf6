import type { Patches } from "../mutant.ts"

export const reading: Patches = {
  folder: "packages/core/src/internal/source",
  tests: ["packages/core/test/source", "packages/core/test/upload/Upload.stream"],
  named: {
    "bufferPool.ts": ["packages/core/test/source/bufferPool"],
    "partReader.ts": [
      "packages/core/test/source/partReader",
      "packages/core/test/upload/Upload.stream",
      "packages/core/test/source/Source.stream"
    ],
    "unchanged.ts": [
      "packages/core/test/source/Source.file",
      "packages/core/test/upload/Upload.changed"
    ]
  },
  bugs: [
    [
      "partReader.ts",
      "return (yield* reader.atEnd) ? Option.none() : yield* layout.tooLong",
      "return Option.none()",
      "bytes behind the last part are left out"
    ],
    ["partReader.ts", "    number++\n", "", "each part has the number 1"],
    [
      "unchanged.ts",
      "current === fingerprint",
      "current.length >= 0",
      "a file that changed while it was sent goes unnoticed"
    ],
    [
      "partReader.ts",
      "if (filled < planned.size)",
      "if (filled > planned.size)",
      "a source that ends early is uploaded as it is"
    ],
    [
      "partReader.ts",
      "(ended ? Effect.void : tooLong)",
      "Effect.void",
      "a source that goes on is cut off"
    ],
    [
      "partReader.ts",
      "rest = all.length <= most ? nothing : all.subarray(most)",
      "rest = nothing",
      "bytes between two parts get lost"
    ],
    [
      "partReader.ts",
      "Math.min(block.length - used, size - filled)",
      "block.length - used",
      "a part takes bytes of the next"
    ],
    [
      "partReader.ts",
      "number > Parts.maxParts ? undefined",
      "number > Parts.maxParts + 1 ? undefined",
      "part 10,001 is begun"
    ],
    [
      "bufferPool.ts",
      "free.pop() ?? new",
      "free.at(-1) ?? new",
      "a buffer is used for two parts at once"
    ],
    [
      "bufferPool.ts",
      "      return release\n",
      "      return Effect.void\n",
      "memory of parts is never given back"
    ],
    [
      "bufferPool.ts",
      "const start = at % blockSize",
      "const start = 0",
      "a piece is read from the start of its block"
    ],
    [
      "bufferPool.ts",
      "Math.floor(at / blockSize)",
      "Math.ceil(at / blockSize)",
      "a piece is read from the next block"
    ]
  ]
}
