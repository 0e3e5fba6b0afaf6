/**
 * What OSS answered, read. The quirks of ali-oss and of OSS's XML end here.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ListedUpload, ObjectHead, ObjectReceipt, PartPage, PartReceipt, UploadPage } from "../OssClient.ts"
import type { Refusal } from "../OssError.ts"
import type { Answer, Understood } from "./aliOss.ts"

/** An answer of the expected status. */
export interface Success {
  readonly headers: Answer["headers"]
  readonly returned: unknown
  readonly data: unknown
}
