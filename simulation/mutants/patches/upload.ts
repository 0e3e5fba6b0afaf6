import type { Patches } from "../mutant.ts"

export const upload: Patches = {
  folder: "packages/core/src/internal/upload",
  tests: ["packages/core/test/upload", "packages/core/test/slots"],
  bugs: [
    [
      "sendPart.ts",
      "Option.isSome(actual) && actual.value !== crc64",
      "false",
      "a damaged part is recorded"
    ],
    [
      "sendPart.ts",
      "offset === 0 ? 0n : crc64",
      "crc64",
      "a part that is read again has the CRC64 of both readings"
    ],
    [
      "sendPart.ts",
      "if (local === task.part.crc64) return yield* record(session, task.part, true)",
      "return yield* record(session, task.part, true)",
      "a foreign part is adopted without comparing it"
    ],
    [
      "complete.ts",
      ".sort((a, b) => a.number - b.number)",
      "",
      "parts are completed in the order in which they ended"
    ],
    [
      "complete.ts",
      "size === expected.size && Option.contains(crc64, expected.crc64)",
      "size === expected.size",
      "an older object of the same size passes for the upload"
    ],
    [
      "complete.ts",
      "size === expected.size && Option.contains(crc64, expected.crc64)",
      "Option.contains(crc64, expected.crc64)",
      "an object of another size passes for the upload"
    ],
    [
      "complete.ts",
      "Option.isSome(actual) && actual.value !== expected.crc64",
      "false",
      "a damaged object is reported as success"
    ],
    [
      "complete.ts",
      "verified: Option.isSome(actual) }",
      "verified: true }",
      "an object without CRC64 is called verified"
    ],
    [
      "complete.ts",
      'error.reason._tag === "NoSuchUpload" ||',
      "",
      "a second Complete that finds the upload gone is a failure"
    ],
    [
      "complete.ts",
      '(error.reason._tag === "AlreadyExists" && answerLost)',
      'error.reason._tag === "AlreadyExists"',
      "an object of somebody else passes for the upload where overwriting is forbidden"
    ],
    [
      "complete.ts",
      '(error.reason._tag === "AlreadyExists" && answerLost)',
      "false",
      "a put whose answer was lost fails where overwriting is forbidden"
    ],
    [
      "complete.ts",
      'Effect.catchReason("OssError", "AccessDenied", () => Effect.succeedNone)',
      "Effect.tap(() => Effect.void)",
      "where HEAD is forbidden, a lost answer tells so instead of what happened"
    ],
    [
      "uploadId.ts",
      "(answerLost ||= error.isAmbiguous)",
      "(answerLost = false)",
      "the id of a lost Initiate stays"
    ],
    [
      "uploadId.ts",
      "if (yield* isEmpty(requests, uploadId)) yield* abort(requests, uploadId)",
      "yield* abort(requests, uploadId)",
      "an upload of somebody else that has parts is aborted"
    ],
    [
      "uploadId.ts",
      "parts.length === 0),",
      "parts.length >= 0),",
      "an upload that has parts counts as empty"
    ],
    [
      "uploadId.ts",
      ".filter((uploadId) => uploadId !== spare)",
      "",
      "the upload that has just begun is aborted"
    ],
    [
      "uploadId.ts",
      'Effect.catchReason("OssError", "NoSuchUpload", () => Effect.void)',
      "Effect.tap(() => Effect.void)",
      "aborting an upload that is gone is a failure"
    ],
    [
      "uploadId.ts",
      "  yield* session.log.begin({ ...header, phase })\n",
      "",
      "a run that dies while it asks for an id leaves it for ever"
    ],
    [
      "uploadId.ts",
      "onNone: () => null,",
      "onNone: () => [],",
      "where listing is forbidden, uploads of others are taken for leftovers"
    ],
    [
      "discover.ts",
      ".filter(({ uploadId }) => !held.has(uploadId))",
      "",
      "an upload that another checkpoint holds is taken over"
    ],
    [
      "discover.ts",
      "return local === crc64 ? Option.some",
      "return crc64 !== undefined ? Option.some",
      "an upload of another source is discovered"
    ],
    [
      "discover.ts",
      ".sort((a, b) => b.initiated - a.initiated)",
      "",
      "the oldest upload is discovered"
    ],
    [
      "listing.ts",
      "parts.push(...page.parts)",
      "parts.splice(0, parts.length, ...page.parts)",
      "only the last page of parts counts"
    ],
    [
      "listing.ts",
      "page.uploads.filter(({ key }) => key === requests.key)",
      "page.uploads",
      "uploads of keys that begin alike are taken for this key's"
    ],
    [
      "listing.ts",
      "} while (after !== undefined)\n    return Option.some(parts)",
      "} while (false)\n    return Option.some(parts)",
      "only the first page of parts counts"
    ],
    [
      "identical.ts",
      "if (session.source.size !== size) return Option.none()",
      "",
      "sizes are not compared before the source is read"
    ],
    [
      "identical.ts",
      "(yield* crc64Of(session.source, size)) === crc64.value",
      "true",
      "any object of the same size counts as identical"
    ],
    [
      "progress.ts",
      "meter.durable += part.size",
      "meter.durable += 1",
      "progress does not reach the end"
    ],
    [
      "progress.ts",
      "meter.sent = Math.max(meter.sent, meter.durable + underWay)",
      "meter.sent = meter.durable + underWay",
      "progress goes backwards"
    ],
    [
      "progress.ts",
      "  meter.underWay.delete(part.number)\n",
      "",
      "bytes of a part that has ended count twice"
    ],
    [
      "session.ts",
      "session.log.append(part),",
      "Effect.void,",
      "a part is reported as durable and is not recorded"
    ],
    [
      "session.ts",
      "current === fingerprint,",
      "current.length > 0,",
      "a file that changed while it was sent goes unnoticed"
    ],
    [
      "session.ts",
      "session.recorded.set(part.number, part)",
      "",
      "a part that was recorded is not completed"
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
      "error.isRetryable\n          ? Effect.retry",
      "true\n          ? Effect.retry",
      "what can't go away is tried again"
    ],
    [
      "open.ts",
      "yield* Effect.fromResult(Part.validateSize(size))",
      "Effect.void",
      "a source that is too large is begun"
    ]
  ]
}
