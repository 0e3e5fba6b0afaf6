/**
 * What the emulator refuses a request with: OSS's error codes, each with the
 * status and the message that OSS sends with it.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"

const table = {
  AccessDenied: [403, "You do not have the permission to do this."],
  BadRequest: [400, "The request could not be read."],
  CallbackFailed: [203, "The callback failed."],
  EntityTooSmall: [400, "Your proposed upload is smaller than the minimum allowed size."],
  FileAlreadyExists: [409, "The object you specified already exists and can not be overwritten."],
  InternalError: [500, "We encountered an internal error. Please try again."],
  InvalidAccessKeyId: [403, "The OSS access key id you provided does not exist in our records."],
  InvalidArgument: [400, "An argument is not valid."],
  InvalidBucketName: [400, "The specified bucket is not valid."],
  InvalidDigest: [400, "The Content-MD5 you specified is not valid."],
  InvalidObjectName: [400, "The specified object is not valid."],
  InvalidPart: [
    400,
    "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag."
  ],
  InvalidPartOrder: [
    400,
    "The list of parts was not in ascending order. Parts list must be specified in order by part number."
  ],
  InvalidRange: [416, "The requested range cannot be satisfied."],
  InvalidSecurityToken: [403, "The security token you provided is invalid."],
  MalformedXML: [400, "The XML you provided was not well-formed."],
  MissingContentLength: [411, "You must provide the Content-Length HTTP header."],
  NoSuchBucket: [404, "The specified bucket does not exist."],
  NoSuchKey: [404, "The specified key does not exist."],
  NoSuchUpload: [
    404,
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
  ],
  NotImplemented: [501, "The emulator does not implement this request."],
  RequestTimeTooSkewed: [
    403,
    "The difference between the request time and the current time is too large."
  ],
  SecurityTokenExpired: [403, "The security token you provided has expired."],
  ServiceUnavailable: [503, "Please reduce your request rate."],
  SignatureDoesNotMatch: [
    403,
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
  ]
} as const satisfies Record<string, readonly [status: number, message: string]>

/**
 * The error codes that the emulator knows.
 *
 * @category models
 * @since 0.1.0
 */
export type ErrorCode = keyof typeof table

/**
 * A request that is answered with an error, and changed nothing.
 *
 * @category errors
 * @since 0.1.0
 */
export class Refusal extends Data.TaggedError("Refusal")<{
  readonly code: ErrorCode
  /** The HTTP status. */
  readonly status: number
  readonly message: string
  /** Further elements of the XML answer, such as `StringToSign`. */
  readonly details: Readonly<Record<string, string>>
}> {}

/**
 * The status and the message that OSS sends with a code; undefined for a code
 * that the emulator does not know.
 *
 * @category accessors
 * @since 0.1.0
 */
export const lookup = (
  code: string
): { readonly status: number; readonly message: string } | undefined => {
  const row = Object.entries(table).find(([name]) => name === code)?.[1]
  return row && { status: row[0], message: row[1] }
}

/**
 * Refuses with `code`; `message` takes the place of OSS's own words.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refuse = (
  code: ErrorCode,
  message: string = table[code][1],
  details: Readonly<Record<string, string>> = {}
): Refusal => new Refusal({ code, status: table[code][0], message, details })
