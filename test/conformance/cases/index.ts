import type { Case } from "../Case.ts"
import { buckets } from "./buckets.ts"
import { completes } from "./complete.ts"
import { copiesAndAppends } from "./copies.ts"
import { details } from "./details.ts"
import { lists } from "./lists.ts"
import { objects } from "./objects.ts"
import { reading } from "./reading.ts"
import { signatures } from "./signatures.ts"
import { uploads } from "./uploads.ts"
import { versions } from "./versions.ts"

/** All cases, by what they are about. */
export const cases: ReadonlyArray<readonly [about: string, cases: ReadonlyArray<Case>]> = [
  ["Signatures", signatures],
  ["Objects", objects],
  ["Ranges and conditions", reading],
  ["Uploads in parts", uploads],
  ["Complete", completes],
  ["Copies and appending", copiesAndAppends],
  ["Lists", lists],
  ["Tags, ACLs, links, deletion of many", details],
  ["Buckets and CORS", buckets],
  ["Versions", versions]
]
