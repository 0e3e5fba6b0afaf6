/** Admits requests that a known key signs, and any request where an ACL allows it. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Operation } from "../../Fault.ts"
import type { Attempt } from "../exchange.ts"
import type { Credential } from "../../OssEmulator.ts"
import { isSigned, verify } from "../signature/verify.ts"
import { findBucket, findObject } from "../state/queries.ts"
import type { Verbs } from "../verbs.ts"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "../wire/errors.ts"
import type { Head, Route } from "../wire/router.ts"

/**
 * Admits or refuses a request. OSS reports a missing bucket before it checks a
 * signature. The signature of a form is in its body.
 */
export const admit = (options: {
  readonly verbs: Verbs
  /** Empty: every request is admitted, signed or not. */
  readonly credentials: ReadonlyArray<Credential>
  /** The region that signatures must name; undefined: the one of the host name, or any. */
  readonly region: string | undefined
}) => {
  const { verbs, credentials, region } = options
  return Effect.fnUntraced(function* (attempt: Attempt, head: Head, route: Route) {
    const { bucket, operation } = route
    if (bucket !== undefined && !creating.has(operation) && !verbs.anyBucket) {
      yield* verbs.bucketOf(bucket)
    }
    if (credentials.length > 0 && operation !== "postObject") {
      const request = { ...head, ...route }
      const now = yield* attempt.now
      yield* isSigned(request)
        ? Effect.fromResult(verify(request, credentials, now, region ?? route.region))
        : admitAnybody(verbs, route)
    }
    if (bucket !== undefined && operation !== "putBucket" && verbs.anyBucket) {
      yield* verbs.ensureBucket(bucket)
    }
  })
}

/** For these requests, which may create the bucket, OSS checks the signature first. */
const creating: ReadonlySet<Operation> = new Set(["putBucket", "putBucketAcl"])

const reading: ReadonlySet<Operation> = new Set(["get", "head", "getSymlink"])

const writing: ReadonlySet<Operation> = new Set([
  "abort",
  "append",
  "complete",
  "delete",
  "initiate",
  "listParts",
  "put",
  "uploadPart"
])

const admitAnybody = (verbs: Verbs, { bucket = "", key = "", operation }: Route) =>
  verbs.query((state): Result.Result<void, Refusal> => {
    const found = findBucket(state, bucket)
    if (Result.isFailure(found)) {
      return verbs.anyBucket || bucket === "" ? denied("bucket") : Result.fail(found.failure)
    }
    const object = Result.getOrUndefined(findObject(state, { bucket, key }))
    const own = object?.headers["x-oss-object-acl"] ?? "default"
    const acl = own === "default" ? found.success.acl : own
    if (acl !== "private" && reading.has(operation)) return Result.succeed(undefined)
    if (found.success.acl === "public-read-write" && writing.has(operation)) {
      return Result.succeed(undefined)
    }
    return denied(own === "default" ? "bucket" : "object")
  })

const denied = (whose: "bucket" | "object") =>
  Result.fail(
    refuse("AccessDenied", `You have no right to access this object because of ${whose} acl.`, {
      EC: "0003-00000001"
    })
  )
