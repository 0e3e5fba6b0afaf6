/**
 * `oss://BUCKET/KEY`, the name of an object on the command line. The key is
 * taken as it stands: nothing in it is decoded.
 */
import * as Result from "effect/Result"
import { UsageError } from "./CliFailure.ts"

/** Where an object is. */
export interface ObjectUrl {
  readonly bucket: string
  /** May be empty, or end in `/`: then it names a folder. */
  readonly key: string
}

/**
 * Reads `oss://BUCKET/KEY`. Whether OSS takes that bucket and that key is for
 * the client and the upload to say.
 */
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

/** True if the key is empty or ends in `/`: an object's own name is missing. */
export const isFolder = ({ key }: ObjectUrl): boolean => key === "" || key.endsWith("/")

/** The same place, with a file's name appended where the object's own is missing. */
export const within = (url: ObjectUrl, fileName: string): ObjectUrl =>
  isFolder(url) ? { ...url, key: `${url.key}${fileName}` } : url
