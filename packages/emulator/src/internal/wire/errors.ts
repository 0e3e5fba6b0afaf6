/**
 * The error codes of the emulator's refusals: OSS's codes, each with its
 * status, its message and, if OSS documents one, its EC.
 */
import { Refusal } from "../../EmulatorError.ts"

const table = {
  AccessDenied: [403, "You do not have the permission to do this."],
  AccessForbidden: [403, "CORSResponse: CORS is not enabled for this bucket."],
  BadRequest: [400, "The request could not be read."],
  BucketNotEmpty: [409, "The bucket you tried to delete is not empty."],
  CallbackFailed: [203, "Error status : 502."],
  EntityTooLarge: [400, "Your proposed upload exceeds the maximum allowed size."],
  EntityTooSmall: [400, "Your proposed upload is smaller than the minimum allowed size."],
  FileAlreadyExists: [409, "The object you specified already exists and can not be overwritten."],
  InternalError: [500, "We encountered an internal error. Please try again."],
  InvalidAccessKeyId: [403, "The OSS Access Key Id you provided does not exist in our records."],
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
  InvalidPolicyDocument: [400, "Invalid Policy: the policy document is not valid."],
  InvalidRange: [416, "The requested range cannot be satisfied."],
  InvalidSecurityToken: [403, "The security token you provided is invalid."],
  InvalidTag: [400, "The tag set you provided is not valid."],
  InvalidTargetType: [409, "The symbolic link points to another symbolic link."],
  MalformedPOSTRequest: [
    400,
    "The body of your POST request is not well-formed multipart/form-data."
  ],
  MalformedXML: [400, "The XML you provided was not well-formed."],
  MethodNotAllowed: [405, "The specified method is not allowed against this resource."],
  MissingArgument: [400, "Missing Some Required Arguments."],
  MissingContentLength: [411, "You must provide the Content-Length HTTP header."],
  NoSuchBucket: [404, "The specified bucket does not exist."],
  NoSuchCORSConfiguration: [404, "The CORS Configuration does not exist."],
  NoSuchKey: [404, "The specified key does not exist."],
  NoSuchVersion: [404, "The specified version does not exist."],
  NoSuchUpload: [
    404,
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
  ],
  NotImplemented: [501, "The emulator does not implement this request."],
  NotModified: [304, "Not Modified"],
  NotSymlink: [400, "The object you specified is not a symbolic link."],
  ObjectNotAppendable: [409, "The object is not appendable"],
  PartNotSequential: [400, "The part is not in sequence with those that were uploaded."],
  PositionNotEqualToLength: [409, "Position is not equal to file length"],
  PreconditionFailed: [412, "At least one of the pre-conditions you specified did not hold."],
  RequestTimeTooSkewed: [
    403,
    "The difference between the request time and the current time is too large."
  ],
  SecurityTokenExpired: [403, "The security token you provided has expired."],
  ServiceUnavailable: [503, "Please reduce your request rate."],
  SymlinkTargetNotExist: [404, "The symlink target object does not exist"],
  SignatureDoesNotMatch: [
    403,
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
  ]
} as const satisfies Record<string, readonly [status: number, message: string]>

/** The EC that OSS documents for a code; a rule may have a narrower one. */
const ecs: Partial<Record<ErrorCode, string>> = {
  InvalidAccessKeyId: "0002-00000902",
  NoSuchBucket: "0015-00000101",
  NoSuchKey: "0026-00000001",
  RequestTimeTooSkewed: "0002-00000504",
  SignatureDoesNotMatch: "0002-00000040"
}

/** The error codes that the emulator knows. */
export type ErrorCode = keyof typeof table

/**
 * The status and the message that OSS sends with a code; undefined for a code
 * that the emulator does not know.
 */
export const lookup = (
  code: string
): { readonly status: number; readonly message: string } | undefined => {
  const row = Object.entries(table).find(([name]) => name === code)?.[1]
  return row && { status: row[0], message: row[1] }
}

/** Refuses with `code`. `message` replaces OSS's own text. */
export const refuse = (
  code: ErrorCode,
  message: string = table[code][1],
  details: Readonly<Record<string, string>> = {},
  headers: Readonly<Record<string, string>> = {}
): Refusal => {
  const ec = ecs[code]
  const all = details["EC"] === undefined && ec !== undefined ? { ...details, EC: ec } : details
  return new Refusal({ code, status: table[code][0], message, details: all, headers })
}

/** The refusal of an invalid argument, with the name that OSS gives it. */
export const invalid = (name: string, value: string, message: string, ec?: string): Refusal =>
  refuse("InvalidArgument", message, {
    ArgumentName: name,
    ArgumentValue: value,
    ...(ec !== undefined && { EC: ec })
  })
