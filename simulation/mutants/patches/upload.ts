import type { Patches } from "../mutant.ts"

export const upload: Patches = {
  folder: "packages/core/src/internal/upload",
  tests: ["packages/core/test/upload", "packages/core/test/slots"],
  named: {
    "complete.ts": [
      "packages/core/test/upload/Upload.settle",
      "packages/core/test/upload/Upload.verify"
    ],
    "identical.ts": ["packages/core/test/upload/skipIdentical"],
    "initiate.ts": [
      "packages/core/test/upload/Upload.first",
      "packages/core/test/upload/Upload.orphans"
    ],
    "line.ts": ["packages/core/test/upload/line", "packages/core/test/upload/slowLine"],
    "listing.ts": ["packages/core/test/upload/Upload.discover"],
    "open.ts": ["packages/core/test/upload/Upload.resume"],
    "progress.ts": [
      "packages/core/test/upload/progress",
      "packages/core/test/upload/Upload.progress"
    ],
    "request.ts": [
      "packages/core/test/upload/Upload.retry",
      "packages/core/test/upload/Upload.parts"
    ],
    "randomAccess.ts": [
      "packages/core/test/upload/Upload.changed",
      "packages/core/test/upload/Upload.parts"
    ],
    "recover.ts": [
      "packages/core/test/upload/Upload.retry",
      "packages/core/test/upload/Upload.resume"
    ],
    "retry.ts": ["packages/core/test/upload/Upload.retry", "packages/core/test/upload/RetryPolicy"],
    "run.ts": [
      "packages/core/test/upload/Upload.resume",
      "packages/core/test/upload/Upload.cancel"
    ],
    "sendPart.ts": [
      "packages/core/test/upload/Upload.parts",
      "packages/core/test/upload/Upload.retry"
    ],
    "session.ts": ["packages/core/test/upload/Upload.resume"],
    "settle.ts": ["packages/core/test/upload/Upload.settle"],
    "takeOver.ts": ["packages/core/test/upload/Upload.discover"]
  },
  bugs: [
    [
      "sendPart.ts",
      "Option.isNone(receipt.crc64) || receipt.crc64.value === crc64",
      "Option.isNone(receipt.crc64) || true",
      "a damaged part is recorded"
    ],
    [
      "sendPart.ts",
      "at === 0 ? 0n : crc64",
      "crc64",
      "a part that is read again has the CRC64 of both readings"
    ],
    [
      "sendPart.ts",
      "local === task.part.crc64 ?",
      "local > 0n ?",
      "a foreign part is adopted without comparing it"
    ],
    [
      "sendPart.ts",
      "local === task.part.crc64 ?",
      "local < 0n ?",
      "a part that OSS has is sent again"
    ],
    [
      "sendPart.ts",
      "      record(session, part, adopted)\n",
      "      Effect.as(Effect.succeed(session), part)\n",
      "parts are sent and never recorded"
    ],
    [
      "complete.ts",
      "Option.isNone(crc64) || crc64.value === expected.crc64",
      "Option.isNone(crc64) || true",
      "a damaged object is reported as success"
    ],
    [
      "complete.ts",
      "verified: Option.isSome(crc64) }",
      "verified: true }",
      "an object without CRC64 is called verified"
    ],
    [
      "complete.ts",
      "if (head.value.size !== size) {",
      "if (head.value.size < 0) {",
      "a success contradicts the size that HEAD says"
    ],
    [
      "complete.ts",
      'if ("verified" in receipt) yield* abandon(session, uploadId)',
      "",
      "an upload whose object was there already stays on the server"
    ],
    [
      "request.ts",
      "at === 0 ? 0n : crc64",
      "crc64",
      "a small file that is read again has the CRC64 of both readings"
    ],
    [
      "settle.ts",
      "size === expected.size && Option.contains(crc64, expected.crc64)",
      "size === expected.size",
      "an older object of the same size passes for the upload"
    ],
    [
      "settle.ts",
      "size === expected.size && Option.contains(crc64, expected.crc64)",
      "Option.contains(crc64, expected.crc64)",
      "an object of another size passes for the upload"
    ],
    [
      "settle.ts",
      "  (error.isAmbiguous ||\n",
      "  (false ||\n",
      "a lost answer to Complete is a failure"
    ],
    [
      "settle.ts",
      'error.reason._tag === "NoSuchUpload" ||',
      "",
      "a second Complete that finds the upload gone is a failure"
    ],
    [
      "settle.ts",
      '(error.reason._tag === "AlreadyExists" && responseLost)',
      'error.reason._tag === "AlreadyExists"',
      "an object of somebody else passes for the upload where overwriting is forbidden"
    ],
    [
      "settle.ts",
      '(error.reason._tag === "AlreadyExists" && responseLost)',
      "false",
      "a put whose answer was lost fails where overwriting is forbidden"
    ],
    [
      "settle.ts",
      'Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)',
      "Effect.tap(() => Effect.void)",
      "where HEAD is forbidden, skipIdentical fails"
    ],
    [
      "settle.ts",
      "return responseLost ? storedSoon(requests, whole) : stored(requests, whole)",
      "return stored(requests, whole)",
      "a Complete that is still being carried out is not waited for"
    ],
    [
      "initiate.ts",
      "() => restore(abandon(requests, uploadId))",
      "() => Effect.void",
      "an id that can't be recorded stays on the server"
    ],
    [
      "initiate.ts",
      'Effect.catchReason("OssError", "NoSuchUpload", () => Effect.void)',
      "Effect.tap(() => Effect.void)",
      "aborting an upload that is gone is a failure"
    ],
    [
      "initiate.ts",
      'Effect.catchReason("OssError", "AccessDenied", (_, error) => staysOnServer(error))',
      "Effect.tap(() => Effect.void)",
      "where aborting is forbidden, an upload can't start afresh"
    ],
    [
      "takeOver.ts",
      ".filter(({ uploadId }) => !held.has(uploadId))",
      "",
      "an upload that another checkpoint holds is taken over"
    ],
    [
      "takeOver.ts",
      "return local === crc64\n",
      "return crc64 > 0n\n",
      "an upload of another source is discovered"
    ],
    [
      "takeOver.ts",
      ".sort((a, b) => b.initiated - a.initiated)",
      "",
      "the oldest upload is discovered"
    ],
    [
      "takeOver.ts",
      'if (size !== fileSize) return obsolete("SourceChanged")',
      "",
      "a checkpoint of ali-oss of another size is carried on with"
    ],
    [
      "recover.ts",
      "return recovered.includes(whose)\n",
      "return recovered.length > 9\n",
      "a server that loses parts again and again is sent them for ever"
    ],
    [
      "recover.ts",
      'if (reason === "SourceChanged") yield* mayRestart(session)',
      "",
      "a changed source is sent afresh though the request says to fail"
    ],
    [
      "recover.ts",
      'if (reason !== "UploadGone") yield* abort(session, upload.value.uploadId)',
      "",
      "an upload that is given up stays on the server"
    ],
    [
      "randomAccess.ts",
      'task._tag !== "Done"',
      'task._tag === "Missing"',
      "parts to be adopted are left out"
    ],
    [
      "randomAccess.ts",
      "offset + target.length < size",
      "offset < size",
      "a small file that changed while it was sent goes unnoticed"
    ],
    [
      "run.ts",
      "    yield* reader.unchanged\n",
      "",
      "a file that changed while it was sent is completed"
    ],
    [
      "run.ts",
      "    yield* recordReceipt(session, stored)\n",
      "",
      "a run that dies after Complete is begun again"
    ],
    [
      "run.ts",
      "Effect.andThen(forget(session))",
      "Effect.andThen(Effect.void)",
      "the checkpoint of a completed upload stays"
    ],
    [
      "listing.ts",
      "for (const part of page.parts) parts.push(part)",
      "parts.splice(0, parts.length, ...page.parts)",
      "only the last page of parts counts"
    ],
    [
      "listing.ts",
      "next = Option.getOrUndefined(page.next)",
      "next = undefined",
      "only the first page of parts counts"
    ],
    [
      "listing.ts",
      "Stream.filter(({ key }) => key === requests.key)",
      "Stream.filter(() => true)",
      "uploads of keys that begin alike are taken for this key's"
    ],
    [
      "listing.ts",
      "Option.isNone(next) || after === undefined || isBeyond(next.value, after)",
      "true",
      "a list of uploads that repeats its marker is followed for ever"
    ],
    [
      "listing.ts",
      "isPartBeyond(next.value, after)",
      "true",
      "a list of parts that repeats its marker is followed for ever"
    ],
    [
      "identical.ts",
      "if (source.size !== size) return Option.none()",
      "",
      "sizes are not compared before the source is read"
    ],
    [
      "identical.ts",
      "(yield* crc64Of(source)) === crc64.value",
      "true",
      "any object of the same size counts as identical"
    ],
    [
      "identical.ts",
      "yield* abort(session, recovered.value.header.uploadId)",
      "yield* Effect.void",
      "an upload whose object is there already stays on the server"
    ],
    [
      "progress.ts",
      "  counter.durable += part.size\n",
      "  counter.durable += 1\n",
      "progress does not reach the end"
    ],
    [
      "progress.ts",
      "counter.sent = Math.max(counter.sent, counter.durable + underWay)",
      "counter.sent = counter.durable + underWay",
      "progress goes backwards"
    ],
    [
      "progress.ts",
      "  counter.underWay.delete(part.number)\n",
      "",
      "bytes of a part that has ended count twice"
    ],
    [
      "session.ts",
      "if (Option.isSome(log)) yield* log.value.append(part)",
      "",
      "a part is reported as durable and is not recorded"
    ],
    [
      "session.ts",
      "    fingerprint: source.fingerprint,\n",
      '    fingerprint: "",\n',
      "a changed source is not noticed by the next run"
    ],
    [
      "session.ts",
      "    options: digestOptions(options),\n",
      '    options: "",\n',
      "parts are thrown away at each resume"
    ],
    [
      "retry.ts",
      "Effect.tap(() => earn)",
      "Effect.tap(() => Effect.void)",
      "success does not renew the budget of retries"
    ],
    [
      "retry.ts",
      "input.isRetryable && isAnswered(input) ? spend : Effect.succeed(input.isRetryable)",
      "Effect.succeed(input.isRetryable)",
      "a server that answers is hammered"
    ],
    [
      "retry.ts",
      "error.isRetryable\n            ? Effect.retry",
      "true\n            ? Effect.retry",
      "what can't go away is tried again"
    ],
    [
      "line.ts",
      "if (movements() !== seen) quiet = most = 0",
      "if (false) quiet = most = 0",
      "a transfer that moves counts as stalled"
    ],
    [
      "line.ts",
      "Duration.toMillis(timeout) + patience(most)",
      "Duration.toMillis(timeout)",
      "a part on a slow line counts as stalled"
    ],
    [
      "line.ts",
      "return allow(Math.max(1, Math.floor(Math.min(allowed, flows.size) / 2)))",
      "return allow(allowed)",
      "after a stall as many transfers are tried"
    ],
    [
      "open.ts",
      "yield* Effect.fromResult(Parts.validateSize(size))",
      "Effect.void",
      "a source that is too large is begun"
    ]
  ]
}
