import type { Patches } from "../mutant.ts"
import { client } from "./client.ts"
import { fileStore } from "./fileStore.ts"
import { model } from "./model.ts"
import { reading } from "./reading.ts"
import { sqlStore } from "./sqlStore.ts"
import { transport } from "./transport.ts"
import { upload } from "./upload.ts"

/** All seeded bugs. */
export const all: ReadonlyArray<Patches> = [
  fileStore,
  model,
  upload,
  reading,
  client,
  sqlStore,
  transport
]
