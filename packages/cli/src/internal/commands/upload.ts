/** `effect-oss upload`: uploads files, and resumes what an earlier run left. */
import * as RetryPolicy from "@effect-oss/core/RetryPolicy"
import * as UploadDefaults from "@effect-oss/core/UploadDefaults"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Result from "effect/Result"
import * as Age from "../Age.ts"
import { UsageError } from "../CliFailure.ts"
import * as ObjectUrl from "../ObjectUrl.ts"
import * as Size from "../Size.ts"
import { directoryOf, layerStore } from "../checkpointDirectory.ts"
import { layerClient, limited } from "../connection.ts"
import * as Storage from "../storage.ts"
import * as Draining from "../draining.ts"
import * as DryRun from "../upload/dryRun.ts"
import { filesFrom } from "../upload/filesFrom.ts"
import type { Input, Selection, Settings } from "../upload/input.ts"
import type { Given } from "../upload/items.ts"
import { itemsOf } from "../upload/items.ts"
import * as Many from "../upload/many.ts"
import * as One from "../upload/one.ts"
import { survey } from "../upload/survey.ts"
import { oneKey } from "./places.ts"

export const run = Effect.fn("upload")(function* (input: Input) {
  const { files, json, dryRun, checkpointDir } = input
  const [file = ""] = files
  const url = yield* Effect.fromResult(Result.mapError(ObjectUrl.parse(input.url), inOrder(file)))
  const settings = yield* settingsOf(input)
  const selection = yield* selectionOf(input)
  const limitRate = yield* size("--limit-rate", input.limitRate)
  if (limitRate === 0) return yield* nothing
  const patience = yield* Effect.fromResult(Age.parse("--retry-for", input.retryFor))
  const stallTimeout = yield* Effect.fromResult(Age.parse("--stall-timeout", input.stallTimeout))
  const retry = RetryPolicy.patient({ for: patience })
  const retries = UploadDefaults.layer({ retry, stallTimeout })
  const draining = yield* Draining.Current
  const client = draining.layer(
    limited(layerClient(url.bucket, input), Option.fromUndefinedOr(limitRate))
  )
  const store = layerStore(input)
  const once = yield* One.onceOf(input, url)
  if (once !== undefined) {
    return yield* Effect.provide(One.stream<ChildProcessSpawner>(once, url, input, settings), [
      client,
      store,
      retries
    ])
  }
  const given = yield* givenOf(input, url)
  const [first] = given
  const isFolder =
    given.length !== 1 || first?.type === "Directory" || Option.isSome(input.filesFrom)
  const isMany = isFolder || Option.isSome(input.newerThan) || Option.isSome(input.maxSize)
  if (isFolder && !ObjectUrl.isFolder(url)) {
    const directory = given.find(({ type }) => type === "Directory")
    return yield* oneKey(url, directory?.path ?? given.length)
  }
  const items = itemsOf(given, url, selection, yield* Path.Path)
  const options = { url, selection, allowEmpty: input.allowEmpty, json }
  if (!isMany && !dryRun) {
    return yield* Effect.provide(One.file(first!, url, input, settings), [client, store, retries])
  }
  const count = yield* survey(items, options)
  if (dryRun) return yield* DryRun.list(items, url, json)
  const stateDirectory = yield* directoryOf(checkpointDir)
  const progress = !input.noProgress
  const many = { items, files: count, given, url, settings, stateDirectory, progress, json }
  return yield* Effect.provide(Many.run(many, client, store), retries)
})

const size = (flag: string, text: Option.Option<string>) =>
  Effect.map(Effect.fromResult(Size.parseOption(flag, text)), Option.getOrUndefined)

const settingsOf = Effect.fnUntraced(function* (
  input: Input
): Effect.fn.Return<Settings, UsageError> {
  const { parallel, discover, skipIdentical } = input
  const partSize = yield* size("--part-size", input.partSize)
  const skip = Option.getOrElse(input.skip, () => (skipIdentical ? "crc64" : undefined))
  const storage = yield* Effect.fromResult(Storage.optionsOf(input))
  return { partSize, parallel, discover, skip, storage }
})

/** Reads the flags that choose files. */
export const selectionOf = Effect.fnUntraced(function* (
  input: Pick<Input, "include" | "exclude" | "links" | "newerThan" | "maxSize">
): Effect.fn.Return<Selection, UsageError> {
  const { include, exclude, links } = input
  const maxSize = yield* size("--max-size", input.maxSize)
  const newerThan = Option.isNone(input.newerThan)
    ? undefined
    : yield* timeOf("--newer-than", input.newerThan.value)
  return { include, exclude, links, newerThan, maxSize }
})

/** Reads an age or a date. */
const timeOf = Effect.fnUntraced(function* (flag: string, text: string) {
  const age = Age.parse(flag, text)
  if (Result.isSuccess(age)) {
    return (yield* Clock.currentTimeMillis) - Duration.toMillis(age.success)
  }
  const date = /^\d{4}-\d{2}-\d{2}/.test(text) ? DateTime.make(text) : Option.none()
  if (Option.isSome(date)) return DateTime.toEpochMillis(date.value)
  return yield* new UsageError({
    problem: `${flag}: "${text}" is neither an age nor a date`,
    remedy: `give ${Age.syntax}, or a date such as 2026-03-01 or 2026-03-01T12:00Z`
  })
})

/** Finds the kind of each path. If one can't be read, the upload reports that. */
const givenOf = Effect.fnUntraced(function* (input: Input, url: ObjectUrl.ObjectUrl) {
  const listed = Option.isSome(input.filesFrom) ? yield* filesFrom(input.filesFrom.value, url) : []
  if (input.files.length === 0 && Option.isNone(input.filesFrom)) {
    return yield* new UsageError({
      problem: "missing: FILE",
      remedy: 'see "effect-oss upload --help"'
    })
  }
  return [...(yield* Effect.forEach(input.files, kindOf)), ...listed]
})

export const kindOf = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const type = yield* Effect.match(fs.stat(path), {
    onFailure: () => undefined,
    onSuccess: ({ type }) => type
  })
  if (type === undefined && path.includes("\uFFFD")) {
    return yield* new UsageError({
      problem: `${path}: its name is not UTF-8`,
      remedy: "rename it, since the key of an object has to be UTF-8"
    })
  }
  return { path, type: type ?? "Unknown" } satisfies Given
})

const nothing = new UsageError({
  problem: "--limit-rate: nothing would ever be sent",
  remedy: "give a rate above 0, such as 2MB"
})

/** Reports arguments in the wrong order. */
const inOrder =
  (file: string) =>
  (error: UsageError): UsageError =>
    file.startsWith("oss://")
      ? new UsageError({
          problem: error.problem,
          remedy: "give the file first, then oss://BUCKET/KEY"
        })
      : error
