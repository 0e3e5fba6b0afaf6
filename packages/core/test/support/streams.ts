/** Streams to be uploaded. */
import { Source, Upload } from "@effect-oss/core"
import { Data, Stream } from "effect"
import { key, partSize } from "./world.ts"

export class Upstream extends Data.TaggedError("Upstream")<{ readonly at: number }> {}

/** In chunks that fit no part. */
export const chunked = (content: Uint8Array, chunk = 30_011): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(content.length / chunk) }, (_, index) =>
      content.subarray(index * chunk, (index + 1) * chunk)
    )
  )

export const broken = (content: Uint8Array, at: number) =>
  Stream.concat(chunked(content.subarray(0, at)), Stream.fail(new Upstream({ at })))

export const streamRequest = <E = never, R = never>(
  stream: Stream.Stream<Uint8Array, E, R>,
  options: Partial<Omit<Upload.UploadRequest<E, R>, "source">> & {
    readonly size?: number | undefined
  } = {}
): Upload.UploadRequest<E, R> => {
  const { size, ...rest } = options
  return { key, source: Source.stream("numbers", stream, { size }), partSize, ...rest }
}
