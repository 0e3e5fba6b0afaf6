/**
 * Uploads to Alibaba Cloud OSS as durable workflows that any number of machines
 * run.
 *
 * @since 0.1.0
 */
export * as Buckets from "./Buckets.ts"
export * as ClusterError from "./ClusterError.ts"
export * as Database from "./Database.ts"
export * as Executions from "./Executions.ts"
export * as Locator from "./Locator.ts"
export * as NodeCluster from "./NodeCluster.ts"
export * as UploadRunner from "./UploadRunner.ts"
export * as Uploads from "./Uploads.ts"
