import type { Patches } from "../mutant.ts"

export const model: Patches = {
  folder: "packages/core/src",
  tests: ["packages/core/test/upload", "packages/core/test/Crc64"],
  named: {
    "Part.ts": ["packages/core/test/upload/Part."],
    "internal/parts.ts": ["packages/core/test/upload/Part."],
    "Checkpoint.ts": ["packages/core/test/upload/Checkpoint."],
    "RetryPolicy.ts": ["packages/core/test/upload/RetryPolicy"],
    "internal/upload/decisions.ts": [
      "packages/core/test/upload/Upload.resume",
      "packages/core/test/upload/Upload.changed"
    ],
    "internal/position.ts": ["packages/core/test/client/OssClient.responses"]
  },
  bugs: [
    [
      "internal/position.ts",
      "order > 0 || (order === 0 && compareBytes(next.uploadId, after.uploadId) > 0)",
      "order > 0",
      "a second page of one key's uploads is refused"
    ],
    ["Part.ts", "number: index + 1,", "number: index,", "parts are numbered from 0"],
    ["Part.ts", "offset: index * partSize,", "offset: index * size,", "parts begin elsewhere"],
    [
      "Part.ts",
      "Math.min(partSize, size - index * partSize)",
      "partSize",
      "the last part goes beyond the end"
    ],
    [
      "Part.ts",
      "const count = Math.ceil(size / partSize)",
      "const count = Math.floor(size / partSize)",
      "the last part is left out"
    ],
    [
      "Part.ts",
      "if (count > Parts.maxParts) {",
      "if (count >= Parts.maxParts) {",
      "10,000 parts are refused"
    ],
    [
      "Part.ts",
      "if (count > Parts.maxParts) {",
      "if (count > Parts.maxParts + 1) {",
      "10,001 parts are allowed"
    ],
    [
      "internal/parts.ts",
      "bytes >= minPartSize &&",
      "bytes > minPartSize &&",
      "100 KiB are refused"
    ],
    [
      "internal/parts.ts",
      "bytes <= maxPartSize\n",
      "bytes <= 2 * maxPartSize\n",
      "parts above 5 GiB are allowed"
    ],
    [
      "internal/parts.ts",
      "size >= 0 && size <= maxObjectSize",
      "size > 0 && size <= maxObjectSize",
      "an empty file is refused"
    ],
    [
      "internal/parts.ts",
      "size >= 0 && size <= maxObjectSize",
      "size >= 0",
      "an object above 48.8 TiB is begun"
    ],
    [
      "internal/parts.ts",
      "Math.floor((number - 1) / partsPerStep)",
      "Math.floor(number / partsPerStep)",
      "growing parts overlap"
    ],
    [
      "internal/parts.ts",
      "offset += partsPerStep * sizeIn(earlier)",
      "offset += sizeIn(earlier)",
      "growing parts overlap after the first step"
    ],
    [
      "internal/parts.ts",
      "Math.max(partSize, leastSizes[step] ?? maxPartSize)",
      "partSize",
      "parts of unknown length do not grow"
    ],
    [
      "Part.ts",
      "roundUp(size / Parts.maxParts, 1024 * 1024)",
      "roundUp(size / (2 * Parts.maxParts), 1024 * 1024)",
      "the default part size makes more than 10,000 parts"
    ],
    [
      "internal/upload/decisions.ts",
      "header.fingerprint !== wanted.fingerprint || header.size !== wanted.size",
      "header.size !== wanted.size",
      "a changed source of the same size is carried on with"
    ],
    [
      "internal/upload/decisions.ts",
      "header.fingerprint !== wanted.fingerprint || header.size !== wanted.size",
      "header.fingerprint !== wanted.fingerprint",
      "a source of another size is carried on with"
    ],
    [
      "internal/upload/decisions.ts",
      'if (header.options !== wanted.options) return Option.some("OptionsChanged")',
      "",
      "an object gets the metadata of an earlier request"
    ],
    [
      "internal/upload/decisions.ts",
      "header.growth !== Parts.growth",
      "false",
      "parts that grew by another rule are mixed"
    ],
    [
      "Checkpoint.ts",
      "const { acl: _, callback: __, ...fixed } = options",
      "const { callback: __, ...fixed } = options",
      "a changed ACL throws parts away"
    ],
    [
      "Checkpoint.ts",
      "const { acl: _, callback: __, ...fixed } = options",
      "const { acl: _, ...fixed } = options",
      "a changed callback throws parts away"
    ],
    [
      "Checkpoint.ts",
      ".sort(([a], [b]) => (a < b ? -1 : 1))",
      "",
      "the order of options throws parts away"
    ],
    [
      "internal/upload/decisions.ts",
      "known.offset === part.offset && known.size === part.size",
      "known.size === part.size",
      "a part of another offset counts as done"
    ],
    [
      "internal/upload/decisions.ts",
      "known.offset === part.offset && known.size === part.size",
      "known.offset === part.offset",
      "a part of another size counts as done"
    ],
    [
      "internal/upload/decisions.ts",
      "there === undefined || there.size !== part.size",
      "there === undefined",
      "a part of another size on the server is kept"
    ],
    [
      "internal/upload/decisions.ts",
      "      known.etag === there.etag &&\n",
      "",
      "a part that was replaced on the server counts as done"
    ],
    [
      "internal/upload/decisions.ts",
      "Option.getOrElse(there.crc64, () => known.crc64) === known.crc64",
      "true",
      "a part with another CRC64 on the server counts as done"
    ],
    [
      "internal/upload/decisions.ts",
      'return fits ? { _tag: "Done", part: known } : { _tag: "Missing", part }',
      'return { _tag: "Missing", part }',
      "without ListParts every part is sent again"
    ],
    [
      "internal/upload/decisions.ts",
      '      onNone: () => ({ _tag: "Missing", part }),\n',
      '      onNone: () => ({ _tag: "Adoptable", part: { ...part, etag: there.etag, crc64: 0n } }),\n',
      "a part without CRC64 is adopted"
    ],
    [
      "internal/upload/decisions.ts",
      "crc64 = Crc64.combine(crc64, part.crc64, size)",
      "crc64 = Crc64.combine(part.crc64, crc64, size)",
      "CRC64s are combined in the wrong order"
    ],
    [
      "internal/upload/decisions.ts",
      "part === undefined || part.offset !== offset || part.size !== size",
      "part === undefined",
      "the whole CRC64 is of parts that do not fit"
    ],
    [
      "Checkpoint.ts",
      "parts: Array.from(new Map(Array.from(records, (part) => [part.number, part])).values())",
      "parts: Array.from(records)",
      "a part that was recorded twice counts twice"
    ],
    [
      "Checkpoint.ts",
      "JSON.stringify([place.endpoint, place.bucket, place.key, place.sourceId])",
      "JSON.stringify([place.endpoint, place.bucket, place.key])",
      "two sources to one key share a checkpoint"
    ],
    [
      "Checkpoint.ts",
      "JSON.stringify([place.endpoint, place.bucket, place.key, place.sourceId])",
      "JSON.stringify([place.bucket, place.key, place.sourceId])",
      "two endpoints share a checkpoint"
    ],
    ["RetryPolicy.ts", "attempt < attempts)", "attempt <= attempts)", "one retry too many"],
    [
      "RetryPolicy.ts",
      "attempt < attempts || (isOutage(error) && elapsed < patience)",
      "attempt < attempts",
      "an outage of minutes ends an upload"
    ],
    [
      "RetryPolicy.ts",
      "attempt < attempts || (isOutage(error) && elapsed < patience)",
      "attempt < attempts || isOutage(error)",
      "an outage is waited for for ever"
    ]
  ]
}
