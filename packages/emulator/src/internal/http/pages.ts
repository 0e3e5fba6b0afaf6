/**
 * The read-only pages for a browser: buckets, objects, and open uploads with
 * their parts. Also the answer to `/-/health`.
 */
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import * as Listing from "../state/listing.ts"
import type { State } from "../state/model.ts"
import type { Verbs } from "../verbs.ts"
import { bucketPage, bucketsPage, notFoundPage } from "./html.ts"

/** Answers requests for pages, and passes on all others. No bucket is called `-`. */
export const withPages = <E, R>(
  face: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  options: {
    readonly verbs: Verbs
    /** False: the emulator checks signatures, and other machines can reach it. It then shows no pages. */
    readonly isPublic: boolean
  }
) =>
  Effect.gen(function* () {
    const { method, url, headers } = yield* HttpServerRequest.HttpServerRequest
    const { pathname, searchParams } = new URL(url, "http://localhost")
    const isBrowser =
      method === "GET" &&
      headers["authorization"] === undefined &&
      (headers["accept"] ?? "").includes("text/html")
    if (pathname === "/-/health") {
      return HttpServerResponse.text(`{"status":"ok"}\n`, { contentType: "application/json" })
    }
    const isPage = (pathname === "/" && searchParams.size === 0) || pathname === "/-/bucket"
    if (!isBrowser || !isPage || !options.isPublic || !isLocal(headers["host"] ?? "")) {
      return yield* face
    }
    const { html, status } = yield* Effect.orDie(
      options.verbs.query((state) => Result.succeed(pageOf(state, pathname, searchParams)))
    )
    return HttpServerResponse.text(html, {
      status,
      contentType: "text/html; charset=utf-8",
      headers: policy
    })
  })

/** Protects against a page of another origin that points its own name here to read along. A bucket's host has no pages. */
const isLocal = (host: string) =>
  /^(localhost|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\])(:\d+)?$/i.test(host)

const policy = {
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
  "cache-control": "no-store"
}

/** The number of objects and uploads that a page shows. */
const shown = 1000

const pageOf = (
  state: State,
  pathname: string,
  parameters: URLSearchParams
): { readonly html: string; readonly status: number } => {
  if (pathname === "/") {
    const buckets = HashMap.toValues(state).sort((a, b) => (a.name < b.name ? -1 : 1))
    return { html: bucketsPage(buckets), status: 200 }
  }
  const bucket = parameters.get("name") ?? ""
  const prefix = parameters.get("prefix") ?? ""
  const after = parameters.get("after") ?? ""
  const query = { bucket, prefix, delimiter: "/", max: shown }
  return Result.match(
    Result.all([
      Listing.objects(state, { ...query, after }),
      Listing.uploads(state, { ...query, delimiter: "", keyMarker: "", uploadIdMarker: "" })
    ]),
    {
      onFailure: ({ message }) => ({ html: notFoundPage(message), status: 404 }),
      onSuccess: ([objects, uploads]) => ({
        status: 200,
        html: bucketPage({
          bucket: objects.bucket,
          prefix,
          entries: objects.page,
          uploads: uploads.items.filter((entry) => "uploadId" in entry)
        })
      })
    }
  )
}
