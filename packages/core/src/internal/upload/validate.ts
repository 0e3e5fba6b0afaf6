/**
 * Everything that can be known to be wrong before OSS is asked.
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

/** What a request says, once it is checked. */
export interface Valid {
  /** In bytes. */
  readonly partSize: Option.Option<number>
  /** The checkpoint of ali-oss to carry on with. */
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
    // One that can't be read is looked for, if that is asked for too.
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

/** Fails if `value` is given, and is not a number of things at once. */
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

/** Fails if not even one block of memory fits into so many bytes. */
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

/** Fails if `value` is given, and is not a time to wait. */
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
