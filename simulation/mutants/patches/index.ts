import type { Patches } from "../mutant.ts"
import { client } from "./client.ts"
import { fileStore } from "./fileStore.ts"
import { model } from "./model.ts"
import { reading } from "./reading.ts"
import { sqlStore } from "./sqlStore.ts"
import { transport } from "./transport.ts"
import { upload } from "./upload.ts"

/** All seeded bugs, by group. */
export const all: Readonly<Record<string, Patches>> = {
  fileStore,
  transport,
  client,
  reading,
  upload,
  model,
  sqlStore
}
