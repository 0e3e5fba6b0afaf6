import * as SourceFiles from "../../kernel/sourceFiles.ts"
import { isDropped } from "../conditions/overHttp.ts"
import type { History } from "./history.ts"
import type { Invariant } from "./invariant.ts"

export const make = ({ trace, now, wasStored }: History): Invariant => ({
  promise:
    "A success means that OSS stored an object with the whole content that the file had at one moment of the run.",
  onSuccess: ({ name, file, key }, { from }, result) => {
    const { crc64 } = result
    if (!SourceFiles.held(file, crc64, from, now())) {
      trace.violated(`${name} succeeds with what ${file.path} did not hold during its run`)
    }
    if (!wasStored(key, crc64) && !isDropped(result)) {
      trace.violated(`${name} succeeds, but such an object was never stored`)
    }
  }
})
