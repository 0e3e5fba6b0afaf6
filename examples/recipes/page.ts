/** What a page needs to upload: each request goes to `/api/sign` first, and then to OSS. */
import { OssClient } from "@effect-oss/core"
import { IndexedDbCheckpointStore, WebOssHttp } from "@effect-oss/web"
import { Effect, Layer, ManagedRuntime } from "effect"
import { HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"

const sign = Effect.fnUntraced(function* (request: OssClient.PresignRequest) {
  const url = new URL("/api/sign", location.href)
  const response = yield* HttpClientRequest.post(url).pipe(
    HttpClientRequest.bodyJsonUnsafe(request),
    HttpClient.execute
  )
  // Undefined: the server doesn't sign this one.
  if (response.status === 403) return undefined
  return yield* (yield* HttpClientResponse.filterStatusOk(response)).text
})

export const client = OssClient.layerPresigned({
  bucket: process.env.NEXT_PUBLIC_OSS_BUCKET ?? "",
  region: process.env.NEXT_PUBLIC_OSS_REGION,
  endpoint: process.env.NEXT_PUBLIC_OSS_ENDPOINT,
  pathStyle: process.env.NEXT_PUBLIC_OSS_ENDPOINT !== undefined,
  sign
})

/** One for the whole page. */
export const runtime = ManagedRuntime.make(
  Layer.mergeAll(client, IndexedDbCheckpointStore.layer()).pipe(
    Layer.provideMerge(WebOssHttp.layer())
  )
)
