/** The pages, as HTML without a script. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { type Entry, nameOf, type Page } from "../state/listing.ts"
import type { BucketState, OpenUpload, StoredObject } from "../state/model.ts"

const escape = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")

const style =
  "body{font:14px system-ui,sans-serif;margin:2rem;max-width:70rem}" +
  "table{border-collapse:collapse;width:100%}" +
  "th,td{text-align:left;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd}" +
  "td{font-variant-numeric:tabular-nums}code{font-size:12px}"

/** Without an icon, a browser would request one, and the log would show that request. */
const icon = '<link rel="icon" href="data:,">'

const page = (title: string, body: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8">${icon}<title>${escape(title)}</title><style>${style}</style><h1>${escape(title)}</h1>${body}</html>\n`

const table = (
  heads: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  none: string
) =>
  rows.length === 0
    ? `<p>${escape(none)}</p>`
    : `<table><tr>${heads.map((head) => `<th>${escape(head)}</th>`).join("")}</tr>${rows
        .map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`)
        .join("")}</table>`

const link = (parameters: Record<string, string>, text: string) =>
  `<a href="/-/bucket?${escape(new URLSearchParams(parameters).toString())}">${escape(text)}</a>`

const time = (millis: number) => escape(new Date(millis).toISOString())

export const bucketsPage = (buckets: ReadonlyArray<BucketState>): string =>
  page(
    "effect-oss emulator",
    table(
      ["bucket", "objects", "open uploads", "created"],
      buckets.map(({ name, objects, uploads, created }) => [
        link({ name }, name),
        String(HashMap.size(objects)),
        String(HashMap.size(uploads)),
        time(created)
      ]),
      "There is no bucket yet. The emulator creates a bucket when a request first names it."
    )
  )

export const bucketPage = (shown: {
  readonly bucket: BucketState
  readonly prefix: string
  readonly entries: Page<Entry>
  readonly uploads: ReadonlyArray<OpenUpload>
}): string => {
  const { bucket, prefix, entries, uploads } = shown
  const { name } = bucket
  const last = entries.truncated ? entries.items.at(-1) : undefined
  return page(
    prefix === "" ? name : `${name}/${prefix}`,
    [
      `<p><a href="/">all buckets</a>${prefix === "" ? "" : ` / ${link({ name }, name)}`}</p>`,
      table(
        ["key", "bytes", "type", "ETag", "modified"],
        entries.items.map((entry) =>
          "prefix" in entry
            ? [link({ name, prefix: entry.prefix }, entry.prefix), "", "", "", ""]
            : objectRow(bucket, entry.key)
        ),
        "There are no objects here."
      ),
      last === undefined ? "" : `<p>${link({ name, prefix, after: nameOf(last) }, "more")}</p>`,
      "<h2>open uploads</h2>",
      table(
        ["key", "upload id", "initiated", "parts", "bytes"],
        uploads.map(uploadRow),
        "There are no open uploads."
      )
    ].join("")
  )
}

const objectRow = (bucket: BucketState, key: string): ReadonlyArray<string> =>
  Option.match(HashMap.get(bucket.objects, key), {
    onNone: () => [escape(key), "", "", "", ""],
    onSome: ({ size, type, etag, modified }: StoredObject) => [
      escape(key),
      String(size),
      type,
      `<code>${escape(etag)}</code>`,
      time(modified)
    ]
  })

const uploadRow = ({ key, uploadId, initiated, parts }: OpenUpload): ReadonlyArray<string> => {
  const all = HashMap.toValues(parts).sort((a, b) => a.number - b.number)
  const numbers = all.map(({ number, blob }) => `${number} (${blob.size})`).join(", ")
  return [
    escape(key),
    `<code>${escape(uploadId)}</code>`,
    time(initiated),
    `<details><summary>${all.length}</summary>${numbers}</details>`,
    String(all.reduce((sum, { blob }) => sum + blob.size, 0))
  ]
}

export const notFoundPage = (message: string): string =>
  page("not found", `<p>${escape(message)}</p><p><a href="/">all buckets</a></p>`)
