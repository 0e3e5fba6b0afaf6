/** What workflows are called among the cluster's entities. */

/** Begun by a submission. */
export const upload = "Workflow/@effect-oss/cluster/Upload"

/** Begun by another execution, which its payload names as `upload`. */
export const range = "Workflow/@effect-oss/cluster/Range"
