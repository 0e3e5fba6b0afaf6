/**
 * An OSS that runs on one's own machine.
 *
 * @since 0.1.0
 */
export * as Bucket from "./Bucket.ts"
export * as ErrorCode from "./ErrorCode.ts"
export * as Fault from "./Fault.ts"
export * as Listing from "./Listing.ts"
export * as Messages from "./Messages.ts"
export * as OssEmulator from "./OssEmulator.ts"
export * as RequestLog from "./RequestLog.ts"
export * as Router from "./Router.ts"
export * as Signature from "./Signature.ts"
