/**
 * Upload checkpoints as files.
 *
 * @since 0.1.0
 */
export * as FsCheckpointStore from "./FsCheckpointStore.ts"
