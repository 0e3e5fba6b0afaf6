/** The entity types of the workflows in the cluster. */

/** Started by a submission. */
export const upload = "Workflow/@effect-oss/cluster/Upload"
export const batch = "Workflow/@effect-oss/cluster/Batch"

/** Started by another execution, which the payload names as `upload`. */
export const range = "Workflow/@effect-oss/cluster/Range"

/** Submitted with a batch, which the payload names as `batch`. */
export const slice = "Workflow/@effect-oss/cluster/Slice"
