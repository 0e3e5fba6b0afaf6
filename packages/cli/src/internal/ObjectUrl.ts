/**
 * `oss://BUCKET/KEY`, the name of an object on the command line. The key is
 * taken literally: nothing in it is decoded.
 */
import * as Result from "effect/Result"
import { UsageError } from "./CliFailure.ts"

/** The place of an object. */
export interface ObjectUrl {
  readonly bucket: string
  /** The key. Empty, or with a `/` at its end, it names a folder. */
  readonly key: string
}

/** Reads `oss://BUCKET/KEY`. The client and the upload check the names of bucket and key. */
export const parse = (text: string): Result.Result<ObjectUrl, UsageError> => {
  const [, bucket, key = ""] = /^oss:\/\/([^/]+)(?:\/(.*))?$/s.exec(text) ?? []
  return bucket === undefined
    ? Result.fail(
        new UsageError({
          problem: `"${text}" does not name an object`,
          remedy: "give oss://BUCKET/KEY"
        })
      )
    : Result.succeed({ bucket, key })
}

/** True if the key is empty or ends in `/`, so the object's name is missing. */
export const isFolder = ({ key }: ObjectUrl): boolean => key === "" || key.endsWith("/")

/** The place with a file's name appended, if the object's name is missing. */
export const within = (url: ObjectUrl, fileName: string): ObjectUrl =>
  isFolder(url) ? { ...url, key: `${url.key}${fileName}` } : url
