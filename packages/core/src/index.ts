/**
 * Resumable uploads to Alibaba Cloud OSS, as Effects.
 *
 * @since 0.1.0
 */
export * as Bandwidth from "./Bandwidth.ts"
export * as Body from "./Body.ts"
export * as Checkpoint from "./Checkpoint.ts"
export * as CheckpointStore from "./CheckpointStore.ts"
export * as Crc64 from "./Crc64.ts"
export * as ObjectOptions from "./ObjectOptions.ts"
export * as OssClient from "./OssClient.ts"
export * as OssCredentials from "./OssCredentials.ts"
export * as OssError from "./OssError.ts"
export * as OssModel from "./OssModel.ts"
export * as Part from "./Part.ts"
export * as RetryPolicy from "./RetryPolicy.ts"
export * as Source from "./Source.ts"
export * as Upload from "./Upload.ts"
export * as UploadMany from "./UploadMany.ts"
export * as UploadDefaults from "./UploadDefaults.ts"
export * as UploadError from "./UploadError.ts"
export * as UploadEvent from "./UploadEvent.ts"
