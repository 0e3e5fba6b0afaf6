/**
 * Uploads from a browser, for `@effect-oss/core`.
 *
 * @since 0.1.0
 */
export * as FileHandles from "./FileHandles.ts"
export * as IndexedDbCheckpointStore from "./IndexedDbCheckpointStore.ts"
export * as Network from "./Network.ts"
export * as WebOssHttp from "./WebOssHttp.ts"
