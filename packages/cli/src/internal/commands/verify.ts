/** `effect-oss verify`: compares local files with stored objects by CRC64, and sends nothing. */
import * as Slice from "@effect-oss/core/internal/source/slice"
import { printable } from "@effect-oss/terminal/Text"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { NotStored } from "../CliFailure.ts"
import type { Connection } from "../connection.ts"
import { layerClient } from "../connection.ts"
import { jsonLine } from "../json.ts"
import * as ObjectUrl from "../ObjectUrl.ts"
import { Output } from "../Output.ts"
import * as Stored from "../stored.ts"
import type { Input as UploadInput } from "../upload/input.ts"
import type { Request } from "../upload/items.ts"
import { itemsOf } from "../upload/items.ts"
import { survey } from "../upload/survey.ts"
import { oneKey } from "./places.ts"
import { kindOf, selectionOf } from "./upload.ts"

export interface Input
  extends
    Connection,
    Pick<
      UploadInput,
      | "files"
      | "url"
      | "include"
      | "exclude"
      | "links"
      | "newerThan"
      | "maxSize"
      | "allowEmpty"
      | "retryFor"
      | "json"
    > {}

/** The result for one file. */
type Verdict = "Same" | "Different" | "Missing" | "Unreadable" | "Unknown"

/** How many files are read at once. More would compete for the disk. */
const concurrency = 4

export const run = Effect.fn("verify")(function* (input: Input) {
  const { allowEmpty, json } = input
  const url = yield* Effect.fromResult(ObjectUrl.parse(input.url))
  const selection = yield* selectionOf(input)
  const given = yield* Effect.forEach(input.files, kindOf)
  const directory = given.find(({ type }) => type === "Directory")
  if ((given.length !== 1 || directory !== undefined) && !ObjectUrl.isFolder(url)) {
    return yield* oneKey(url, directory?.path ?? given.length)
  }
  const items = itemsOf(given, url, selection, yield* Path.Path)
  const all = yield* survey(items, { url, selection, allowEmpty, json })
  const tell = yield* teller(url, json)
  const compare = Effect.gen(function* () {
    const look = yield* Stored.lookingFor(input.retryFor)
    return yield* items.pipe(
      Stream.filter((item) => item._tag === "File"),
      Stream.mapEffect(
        ({ request, path }) =>
          Effect.flatMap(verdictOf(request, look), (verdict) =>
            Effect.as(tell(path, request.key, verdict), verdict)
          ),
        { concurrency }
      ),
      Stream.runFold(
        () => 0,
        (wrong, verdict) => (verdict === "Same" ? wrong : wrong + 1)
      )
    )
  })
  const wrong = yield* Effect.provide(compare, layerClient(url.bucket, input))
  if (wrong > 0) return yield* notTheSame(wrong, all)
})

const notTheSame = (wrong: number, all: number) =>
  new NotStored({
    problem: `${wrong} of ${all} ${all === 1 ? "file is" : "files are"} not stored as here`,
    remedy: "see the lines above, and upload what should be there"
  })

type Look = Effect.Success<ReturnType<typeof Stored.lookingFor>>

/** Reads the file only if the sizes are equal. */
const verdictOf = Effect.fnUntraced(
  function* ({ key, source }: Request, look: Look) {
    const opened = yield* source.open
    const head = yield* look(key)
    if (Option.isNone(head)) return "Missing" as Verdict
    if (opened.size !== head.value.size || opened._tag !== "RandomAccess") return "Different"
    if (Option.isNone(head.value.crc64)) return "Unknown"
    const crc64 = yield* Slice.crc64(opened, 0, opened.size)
    return crc64 === head.value.crc64.value ? "Same" : "Different"
  },
  Effect.catchTag("SourceError", () => Effect.succeed<Verdict>("Unreadable")),
  Effect.scoped
)

const words: Readonly<Record<Verdict, string>> = {
  Same: "the same",
  Different: "DIFFERENT",
  Missing: "MISSING",
  Unreadable: "can't be READ here",
  Unknown: "UNKNOWN, since OSS has no CRC64 of it"
}

const teller = Effect.fnUntraced(function* ({ bucket }: ObjectUrl.ObjectUrl, json: boolean) {
  const { out } = yield* Output
  return (path: string, key: string, verdict: Verdict) =>
    out(
      json
        ? jsonLine({ _tag: verdict, path, bucket, key })
        : `${printable(`${path}: ${words[verdict]}, oss://${bucket}/${key}`)}\n`
    )
})
