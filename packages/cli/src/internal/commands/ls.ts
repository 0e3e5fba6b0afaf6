/**
 * `effect-oss ls`: lists the objects below a prefix, or the unfinished uploads
 * there, page by page as OSS returns them.
 */
import { OssClient } from "@effect-oss/core/OssClient"
import type { OssError } from "@effect-oss/core/OssError"
import type { ListedObject, ListedUpload, UploadPosition } from "@effect-oss/core/OssModel"
import { printable } from "@effect-oss/terminal/Text"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { NotStored } from "../CliFailure.ts"
import type { Connection } from "../connection.ts"
import { layerClient } from "../connection.ts"
import { isoTime } from "../isoTime.ts"
import { jsonLine } from "../json.ts"
import { atLeastOne } from "../numbers.ts"
import * as ObjectUrl from "../ObjectUrl.ts"
import { Output } from "../Output.ts"
import * as Stored from "../stored.ts"

export interface Input extends Connection {
  readonly place: string
  readonly recursive: boolean
  readonly uploads: boolean
  readonly limit: Option.Option<number>
  readonly retryFor: string
  readonly json: boolean
}

/** An entry, which gets one line. */
type Entry =
  | ({ readonly _tag: "Object" } & ListedObject)
  | { readonly _tag: "Folder"; readonly key: string }
  | ({ readonly _tag: "OpenUpload" } & ListedUpload)

export const run = Effect.fn("ls")(function* (input: Input) {
  const url = yield* Effect.fromResult(ObjectUrl.parse(input.place))
  const limit = yield* Option.match(input.limit, {
    onNone: () => Effect.succeed(Infinity),
    onSome: (limit) => atLeastOne("--limit", limit)
  })
  const found = yield* Effect.flatMap(Stored.patiently(input.retryFor), (again) =>
    write(pagesOf(url, input, again), { url, limit, json: input.json })
  ).pipe(Effect.provide(layerClient(url.bucket, input)))
  // An empty bucket is no mistake, but a prefix without objects may be mistyped.
  if (found === 0 && url.key !== "") return yield* nothingBelow(url, input)
})

const nothingBelow = ({ bucket, key }: ObjectUrl.ObjectUrl, { uploads }: Input) =>
  new NotStored({
    problem: `${uploads ? "no upload is open" : "there is nothing"} below oss://${bucket}/${key}`,
    remedy: "check the prefix, and the endpoint (--endpoint, OSS_ENDPOINT or the region)"
  })

type Pages = Stream.Stream<ReadonlyArray<Entry>, OssError, OssClient>

const pagesOf = (url: ObjectUrl.ObjectUrl, input: Input, again: Stored.Again): Pages =>
  Stream.unwrap(
    Effect.map(OssClient, (client) =>
      input.uploads
        ? uploads(client, url.key, again)
        : objects(client, url.key, input.recursive ? undefined : "/", again)
    )
  )

const objects = (
  client: OssClient["Service"],
  prefix: string,
  delimiter: string | undefined,
  again: Stored.Again
): Pages =>
  Stream.paginate(undefined as string | undefined, (after) =>
    Effect.map(
      again(client.listObjects({ prefix, delimiter, after })),
      ({ objects, prefixes, next }) => {
        const folders = prefixes.map((key): Entry => ({ _tag: "Folder", key }))
        const entries = [...objects.map(asObject), ...folders]
        return [[entries.sort(byKey)], next] as const
      }
    )
  )

const asObject = (object: ListedObject): Entry => ({ _tag: "Object", ...object })

/** Compares as OSS sorts: by the bytes of UTF-8. */
const byKey = (a: Entry, b: Entry) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))

const uploads = (client: OssClient["Service"], prefix: string, again: Stored.Again): Pages =>
  Stream.paginate(undefined as UploadPosition | undefined, (after) =>
    Effect.map(
      again(client.listUploads({ prefix, after })),
      ({ uploads, next }) =>
        [[uploads.map((upload): Entry => ({ _tag: "OpenUpload", ...upload }))], next] as const
    )
  )

/**
 * Writes each page before it asks for the next one, and stops if the reader has
 * gone. Returns the number of entries.
 */
const write = Effect.fnUntraced(function* <E, R>(
  pages: Stream.Stream<ReadonlyArray<Entry>, E, R>,
  { url, limit, json }: { url: ObjectUrl.ObjectUrl; limit: number; json: boolean }
) {
  const { out, written, isRead } = yield* Output
  const lineOf = json ? jsonOf : textOf
  let found = 0
  yield* pages.pipe(
    Stream.takeUntilEffect(
      Effect.fnUntraced(function* (page) {
        const entries = page.slice(0, limit - found)
        found += entries.length
        yield* out(entries.map((entry) => lineOf(url.bucket, entry)).join(""))
        yield* written
        return found >= limit || !(yield* isRead)
      })
    ),
    Stream.runDrain
  )
  return found
})

/** A time to the second, which is what OSS returns. */
const shortDate = (millis: number) => isoTime(millis).replace(/\.\d+Z$/, "Z")

const jsonOf = (bucket: string, entry: Entry): string => {
  switch (entry._tag) {
    case "Object": {
      const { _tag, key, size, etag, lastModified, storageClass, type } = entry
      const facts = { size, etag, lastModified: isoTime(lastModified), storageClass, type }
      return jsonLine({ _tag, bucket, key, ...facts })
    }
    case "Folder":
      return jsonLine({ _tag: entry._tag, bucket, key: entry.key })
    case "OpenUpload": {
      const { _tag, key, uploadId, initiated } = entry
      return jsonLine({ _tag, bucket, key, uploadId, initiated: isoTime(initiated) })
    }
  }
}

/** The URL comes last, because only it may contain spaces. */
const textOf = (bucket: string, entry: Entry): string => {
  const url = printable(`oss://${bucket}/${entry.key}`)
  switch (entry._tag) {
    case "Object":
      return `${shortDate(entry.lastModified)}  ${sized(String(entry.size))}  ${url}\n`
    case "Folder":
      return `${" ".repeat("2026-01-01T00:00:00Z".length)}  ${sized("DIR")}  ${url}\n`
    case "OpenUpload":
      return `${shortDate(entry.initiated)}  ${printable(entry.uploadId)}  ${url}\n`
  }
}

/** The width of a column for sizes: that of the largest object of OSS, in bytes. */
const sized = (text: string) => text.padStart(14)
