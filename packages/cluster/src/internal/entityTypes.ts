/** What workflows are called among the cluster's entities. */

/** Begun by submissions. */
export const upload = "Workflow/@effect-oss/cluster/Upload"
export const batch = "Workflow/@effect-oss/cluster/Batch"

/** Begun by another execution, which its payload names as `upload`. */
export const range = "Workflow/@effect-oss/cluster/Range"

/** Submitted with a batch, which its payload names as `batch`. */
export const slice = "Workflow/@effect-oss/cluster/Slice"
