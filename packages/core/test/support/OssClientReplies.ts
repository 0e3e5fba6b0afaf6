/** Answers and requests that tests of the client over HTTP share. */
import { Effect } from "effect"
import * as Body from "../../src/Body.ts"
import type { OssClient } from "../../src/OssClient.ts"
import type { OssError } from "../../src/OssError.ts"
import { type Answerer, clientTo, type Reply, serve } from "./OssClientServer.ts"
import * as Bodies from "../../src/internal/body.ts"

export const MiB = 1024 * 1024

export const etag = '"0123456789ABCDEF"'
export const stored: Reply = { headers: { ETag: etag, "x-oss-hash-crc64ecma": "42" } }

export const refusal = (status: number, code: string, headers = {}): Reply => ({
  status,
  headers: { "x-oss-request-id": "5F0", ...headers },
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>what ${code} means</Message><RequestId>5F0</RequestId></Error>`
})

export const part = <E = never>(body: Body.Body<E>, number = 1) => ({
  key: "k",
  uploadId: "U",
  number,
  body
})
export const bytes = (size: number) => Body.fromBytes(new Uint8Array(size))

/** A body that counts how often it is read. */
export const counted = (size: number) => {
  let reads = 0
  const body = Bodies.tap(bytes(size), () => reads++)
  return { body, reads: () => reads }
}

export const against = Effect.fnUntraced(function* (answer: Answerer, when?: "whole" | "arrival") {
  const server = yield* serve(answer, when)
  return { server, client: yield* clientTo(server.url) }
})

/** What each method fails with, given one and the same answer to all. */
export const verbs = (
  client: OssClient["Service"]
): Readonly<Record<string, Effect.Effect<unknown, OssError>>> => ({
  initiate: client.initiate("k"),
  uploadPart: client.uploadPart(part(bytes(10))),
  listParts: client.listParts({ key: "k", uploadId: "U" }),
  complete: client.complete({ key: "k", uploadId: "U", parts: [{ number: 1, etag }] }),
  abort: client.abort({ key: "k", uploadId: "U" }),
  listUploads: client.listUploads({}),
  head: client.head("k"),
  put: client.put({ key: "k", body: bytes(10) }),
  listObjects: client.listObjects({}),
  delete: client.delete("k")
})
