import { CheckpointStore } from "@effect-oss/core"
import { checkpointStoreContract } from "./CheckpointStoreContract.ts"

checkpointStoreContract("layerMemory", CheckpointStore.layerMemory)
