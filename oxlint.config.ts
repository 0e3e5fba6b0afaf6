/**
 * The rules of the house. A folder is a room: `room` says what its files may
 * import. Where several rooms match a file, the last one counts.
 */
import { defineConfig, type OxlintOverride } from "oxlint"

interface Wall {
  /** Packages or paths that the room's files may not import. */
  readonly group?: Array<string>
  readonly regex?: string
  readonly message: string
}

const barrel = {
  name: "effect",
  message: "Import effect/Module: the barrel triples the start-up time."
}
const aliOss = { name: "ali-oss", message: "Only internal/client/aliOssSigner.ts knows ali-oss." }

const room = (files: Array<string>, walls: Array<Wall>, paths = [barrel]): OxlintOverride => ({
  files,
  rules: { "no-restricted-imports": ["error", { paths, patterns: walls }] }
})

// Core: public modules stand on internal/upload, which stands on slots, source and client.

const withoutNode: Wall = {
  group: ["node:*", "@effect/platform-node*"],
  message: "core runs without Node: take a service."
}
const belowAll: Wall = {
  group: ["@effect-oss/*", "!@effect-oss/crc64"],
  message: "core stands below every other package."
}
const noVerbs: Wall = {
  regex: "/(Upload|UploadMany|index)\\.ts$",
  message: "Nothing in core imports the public verbs."
}
const core = (folder: string, ...walls: Array<Wall>) =>
  room(
    [`packages/core/src/${folder}`],
    [withoutNode, belowAll, noVerbs, ...walls],
    [barrel, aliOss]
  )

/** Only these modules outside the room's own folder. */
const only = (modules: ReadonlyArray<string>, message: string): Wall => ({
  group: [
    "../*",
    "../*/**",
    "!../body.ts",
    "!../byteCount.ts",
    "!../monotonic.ts",
    "!../objectKey.ts",
    "!../parts.ts",
    "!../position.ts",
    "!../span.ts",
    ...modules.map((name) => `!../../${name}.ts`)
  ],
  message
})

const rooms: Array<OxlintOverride> = [
  core("**"),
  core(
    "internal/client/**",
    only(
      [
        "Bandwidth",
        "Body",
        "Crc64",
        "ObjectOptions",
        "OssClient",
        "OssCredentials",
        "OssError",
        "OssModel",
        "UploadError"
      ],
      "The client knows the wire: no checkpoint, no source, no upload."
    )
  ),
  core(
    "internal/source/**",
    only(
      ["Body", "Crc64", "Part", "Source", "SourceError", "UploadError"],
      "A source is read: it knows no client, no checkpoint, no upload."
    )
  ),
  core("internal/slots/**", only([], "Slots count: they know nothing of an upload.")),
  core("testing/**", { regex: "/internal/", message: "A contract knows what its users know." }),
  room(["packages/core/src/internal/client/aliOssSigner.ts"], [belowAll]),
  room(
    ["examples/**"],
    [
      {
        regex: "^@effect-oss/.*/internal/",
        message: "A program needs what is documented, and no more."
      }
    ],
    []
  ),
  { files: ["packages/core/src/index.ts"], rules: { "no-restricted-imports": "off" } },

  room(
    ["packages/node-fs-store/src/**", "packages/sql-store/src/**"],
    [{ group: ["@effect-oss/*", "!@effect-oss/core"], message: "Stores know core only." }]
  ),
  room(
    ["packages/node-http/src/**"],
    [
      {
        group: ["@effect-oss/*", "!@effect-oss/core", "!@effect-oss/crc64"],
        message: "A transport knows core only."
      }
    ]
  ),
  room(
    ["packages/web/src/**"],
    [
      { group: ["node:*", "@effect/platform-node*"], message: "A page has no Node." },
      {
        group: ["@effect-oss/*", "!@effect-oss/core", "!@effect-oss/crc64"],
        message: "What pages load knows core only."
      }
    ]
  ),
  room(
    ["packages/cluster/src/**"],
    [
      {
        group: ["@effect-oss/emulator*", "@effect-oss/cli*"],
        message: "The cluster stands on core and its database."
      }
    ]
  ),
  room(
    ["packages/emulator/src/**"],
    [
      {
        group: ["@effect-oss/node-fs-store*", "@effect-oss/cli*"],
        message: "The emulator knows core only."
      }
    ],
    [
      barrel,
      { name: "ali-oss", message: "The emulator checks ali-oss; it must not share its code." }
    ]
  )
]

export default defineConfig({
  plugins: ["typescript", "import", "unicorn", "oxc"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  ignorePatterns: ["**/dist"],
  rules: {
    "import/no-cycle": "error",
    "no-shadow": "off",
    "no-underscore-dangle": "off",
    "require-yield": "off",
    "no-unused-vars": [
      "error",
      {
        argsIgnorePattern: "^_",
        varsIgnorePattern: "^_",
        destructuredArrayIgnorePattern: "^_",
        ignoreRestSiblings: true
      }
    ],
    "unicorn/no-array-sort": "off"
  },
  overrides: [
    {
      files: [
        "**/test/**",
        "**/*.test.ts",
        "bench/**",
        "**/bench.ts",
        "simulation/**",
        "examples/**"
      ],
      rules: { "unicorn/consistent-function-scoping": "off", "no-await-in-loop": "off" }
    },
    {
      files: ["simulation/**"],
      rules: { "max-lines": ["error", 400] }
    },
    {
      files: ["packages/*/src/**", "simulation/**", "bench/**"],
      rules: {
        "max-lines-per-function": ["error", { max: 80, skipBlankLines: true, skipComments: true }]
      }
    },
    {
      files: ["packages/*/src/**"],
      rules: {
        "no-restricted-globals": [
          "error",
          { name: "setTimeout", message: "Use Effect.sleep: it follows the virtual clock." },
          { name: "fetch", message: "Use Effect's HttpClient." }
        ],
        "no-restricted-properties": [
          "error",
          { object: "Date", property: "now", message: "Use Effect's Clock." },
          { object: "Math", property: "random", message: "Use Effect's Random." }
        ]
      }
    },
    room(["packages/*/src/**"], []),
    ...rooms
  ]
})
