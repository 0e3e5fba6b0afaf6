/**
 * Upload checkpoints in PostgreSQL or SQLite.
 *
 * @since 0.1.0
 */
export * as SqlCheckpointStore from "./SqlCheckpointStore.ts"
