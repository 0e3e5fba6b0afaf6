/**
 * Finds the errors in a request that can be found before OSS is asked.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Checkpoint from "../../Checkpoint.ts"
import * as ObjectKey from "../objectKey.ts"
import { InvalidRequest } from "../../UploadError.ts"
import type { Length } from "../byteCount.ts"
import { byteCount, shown } from "../byteCount.ts"
import { blockSize } from "../source/memory.ts"
import type { UploadRequest } from "../../UploadRequest.ts"
import * as Parts from "../parts.ts"

/** The checked values of a request. */
export interface Valid {
  /** In bytes. */
  readonly partSize: Option.Option<number>
  /** The checkpoint of ali-oss to resume. */
  readonly from: Option.Option<Checkpoint.AliOss>
}

/** Checks the values of a request whose options have the right types. */
export const validate = (
  request: UploadRequest<unknown, unknown>
): Result.Result<Valid, InvalidRequest> => {
  const { key, partSize, concurrency, stallTimeout } = request
  return Result.gen(function* () {
    yield* ObjectKey.validate(key)
    const bytes = yield* Result.transposeOption(
      Option.map(Option.fromUndefinedOr(partSize), Parts.validatePartSize)
    )
    yield* wholeNumber("concurrency", concurrency)
    yield* positiveDuration("stallTimeout", stallTimeout)
    const given = Option.fromUndefinedOr(request.from)
    // With `discover`, a checkpoint that can't be read is left out, and OSS is asked.
    const from = yield* Result.transposeOption(
      request.discover === true ? Option.filter(given, Result.isSuccess) : given
    )
    if (Option.isSome(from) && from.value.name !== key) {
      yield* Result.fail(
        new InvalidRequest({
          field: "from",
          problem: `it is of an upload to ${from.value.name}`,
          remedy: "give that key, or leave it out"
        })
      )
    }
    return { partSize: bytes, from }
  })
}

/** Fails unless `value` is a whole number from 1, or is not given. */
export const wholeNumber = (field: string, value = 1): Result.Result<void, InvalidRequest> =>
  Number.isSafeInteger(value) && value >= 1
    ? Result.void
    : Result.fail(
        new InvalidRequest({
          field,
          problem: `${value} at once is not possible`,
          remedy: "give a whole number from 1"
        })
      )

/** Fails if `value` is less than one block of memory. Returns it in bytes. */
export const memorySize = (value: Length): Result.Result<number, InvalidRequest> => {
  const bytes = byteCount(value)
  return Number.isSafeInteger(bytes) && bytes >= blockSize
    ? Result.succeed(bytes)
    : Result.fail(
        new InvalidRequest({
          field: "memory",
          problem: `${shown(value)} is too little for a part`,
          remedy: `give a whole number of bytes from ${blockSize}, or a text such as "64 MiB"`
        })
      )
}

/** Fails unless `value` is a positive duration, or is not given. */
export const positiveDuration = (
  field: string,
  value: Duration.Input = Duration.infinity
): Result.Result<void, InvalidRequest> =>
  Option.exists(Duration.fromInput(value), Duration.isPositive)
    ? Result.void
    : Result.fail(
        new InvalidRequest({
          field,
          problem: "it is not a time to wait",
          remedy: 'give a positive duration, such as "30 seconds"'
        })
      )
