/**
 * A server that says what OSS says and throws away what it is sent: the other
 * side of every comparison, in a process of its own. It knows no signatures.
 *
 * Uploads are of zeros, so that it can answer right check sums without looking
 * at a byte. `GET /-/stats` tells what it has seen, and forgets it.
 */
import * as Crc64 from "@effect-oss/core/Crc64"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createSecureServer } from "node:https"
import type { AddressInfo, Server, Socket } from "node:net"
import { type SinkOptions, type Stats, noStats } from "./src/Protocol.ts"

const options: SinkOptions = JSON.parse(process.argv[2] ?? "{}")

let stats: Stats = noStats
/** The parts of each upload: their sizes by number. */
const uploads = new Map<string, Map<number, number>>()
const objects = new Map<string, { readonly size: number; readonly crc64: bigint }>()
let requests = 0
/** Uploads, those that have ended included: an id is never given twice. */
let begun = 0

/** A linear congruential generator: every run meets the same faults. */
let seed = 1
const random = () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

const crcs = new Map<number, bigint>()
const zeroPiece = new Uint8Array(100 * 1024)
const crcOfZeros = (size: number): bigint => {
  const known = crcs.get(size)
  if (known !== undefined) return known
  const half = Math.floor(size / 2)
  const crc =
    size <= zeroPiece.length
      ? Crc64.of(zeroPiece.subarray(0, size))
      : Crc64.combine(crcOfZeros(half), crcOfZeros(size - half), size - half)
  crcs.set(size, crc)
  return crc
}

const now = () => Number(process.hrtime.bigint() / 1_000n) / 1_000

const answer = (
  response: ServerResponse,
  status: number,
  headers: Record<string, string | number>,
  body = ""
) =>
  setTimeoutOrNow(options.latency ?? 0, () =>
    response
      .writeHead(status, {
        "x-oss-request-id": String(requests),
        "content-length": Buffer.byteLength(body),
        ...headers
      })
      .end(body)
  )

const setTimeoutOrNow = (millis: number, run: () => void) =>
  millis > 0 ? setTimeout(run, millis) : run()

const refuse = (response: ServerResponse, status: number, code: string) =>
  answer(response, status, {}, `<Error><Code>${code}</Code><Message>${code}</Message></Error>`)

const etag = (number: number) => `"${number.toString(16).toUpperCase().padStart(32, "0")}"`

const handle = (request: IncomingMessage, response: ServerResponse) => {
  const url = new URL(request.url ?? "/", "http://sink")
  if (url.pathname === "/-/stats") {
    response.end(JSON.stringify(stats))
    stats = noStats
    return
  }
  requests++
  stats = { ...stats, requests: stats.requests + 1 }
  const part = Number(url.searchParams.get("partNumber") ?? 0)
  const isData = request.method === "PUT"
  if (isData && random() < (options.resetRate ?? 0)) {
    stats = { ...stats, resets: stats.resets + 1 }
    const limit = random() * Number(request.headers["content-length"])
    receive(request, isData, () => {}, limit)
    return
  }
  if (isData && random() < (options.throttleRate ?? 0)) {
    stats = { ...stats, throttled: stats.throttled + 1 }
    receive(request, isData, () => refuse(response, 503, "ServiceUnavailable"))
    return
  }
  receive(request, isData, (size) => {
    if (part > 0 && part === options.refusedPart) {
      // Late, so that every other part has come to its end.
      setTimeout(() => refuse(response, 403, "AccessDenied"), 1_000)
      return
    }
    reply(request.method ?? "", url, part, size, response)
  })
}

/** Takes the body, no faster than it may come; with a limit, breaks off there. */
const receive = (
  request: IncomingMessage,
  isData: boolean,
  done: (size: number) => void,
  limit = Number.POSITIVE_INFINITY
) => {
  let size = 0
  const start = beginning(request.socket)
  request.on("data", (bytes: Uint8Array) => {
    if (isData && stats.firstByteAt === 0) stats = { ...stats, firstByteAt: now() }
    size += bytes.length
    if (size >= limit) request.socket.resetAndDestroy()
    if (options.bytesPerSecond !== undefined) throttle(request, start, size)
  })
  request.on("end", () => {
    if (isData) stats = { ...stats, bytes: stats.bytes + size }
    done(size)
  })
  request.on("close", () => {
    if (isData && !request.complete) stats = { ...stats, bytes: stats.bytes + size }
  })
}

/** When a request on this connection begins to come in: the first waits for the handshake. */
const beginning = (socket: Socket) => {
  const handshake = known.has(socket) ? 0 : (options.latency ?? 0)
  known.add(socket)
  return now() + handshake
}
const known = new WeakSet<Socket>()

const throttle = (request: IncomingMessage, start: number, size: number) => {
  const due = start + (size / (options.bytesPerSecond ?? 1)) * 1_000 - now()
  if (due < 5) return
  request.pause()
  setTimeout(() => request.resume(), due)
}

const reply = (method: string, url: URL, part: number, size: number, response: ServerResponse) => {
  const query = url.searchParams
  const uploadId = query.get("uploadId")
  if (method === "POST" && query.has("uploads")) {
    begun++
    const id = String(begun)
    uploads.set(id, new Map())
    answer(response, 200, {}, `<R><Bucket>b</Bucket><Key>k</Key><UploadId>${id}</UploadId></R>`)
    return
  }
  if (method === "GET" && query.has("uploads")) {
    answer(response, 200, {}, "<R><IsTruncated>false</IsTruncated></R>")
    return
  }
  const parts = uploadId === null ? undefined : uploads.get(uploadId)
  if (uploadId !== null && parts === undefined) refuse(response, 404, "NoSuchUpload")
  else if (parts !== undefined && method === "PUT") {
    parts.set(part, size)
    answer(response, 200, { etag: etag(part), "x-oss-hash-crc64ecma": String(crcOfZeros(size)) })
  } else if (parts !== undefined && method === "GET") {
    answer(response, 200, {}, listed(parts, Number(query.get("part-number-marker") ?? 0)))
  } else if (uploadId !== null && parts !== undefined && method === "POST") {
    complete(response, url.pathname, uploadId, parts)
  } else if (method === "PUT") {
    objects.set(url.pathname, { size, crc64: crcOfZeros(size) })
    answer(response, 200, { etag: etag(0), "x-oss-hash-crc64ecma": String(crcOfZeros(size)) })
  } else if (method === "DELETE") answer(response, 204, {})
  else refuse(response, 404, "NoSuchKey")
}

const listed = (parts: ReadonlyMap<number, number>, after: number) => {
  const numbers = Array.from(parts.keys())
    .filter((number) => number > after)
    .sort((a, b) => a - b)
  const page = numbers.slice(0, 1_000)
  const rows = page.map((number) => {
    const size = parts.get(number) ?? 0
    return `<Part><PartNumber>${number}</PartNumber><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>${etag(number)}</ETag><HashCrc64ecma>${crcOfZeros(size)}</HashCrc64ecma><Size>${size}</Size></Part>`
  })
  const next = page.at(-1) ?? 0
  return `<ListPartsResult><IsTruncated>${numbers.length > page.length}</IsTruncated><NextPartNumberMarker>${next}</NextPartNumberMarker>${rows.join("")}</ListPartsResult>`
}

const complete = (
  response: ServerResponse,
  path: string,
  uploadId: string,
  parts: ReadonlyMap<number, number>
) => {
  const size = Array.from(parts.values()).reduce((sum, size) => sum + size, 0)
  const crc64 = crcOfZeros(size)
  objects.set(path, { size, crc64 })
  if (options.keepUploads !== true) uploads.delete(uploadId)
  const body = `<R><Bucket>b</Bucket><Key>k</Key><ETag>${etag(0)}</ETag></R>`
  answer(response, 200, { etag: etag(0), "x-oss-hash-crc64ecma": String(crc64) }, body)
}

const settings = { keepAliveTimeout: 30_000 }
const plain = createServer(settings, handle)
const { certificate } = options
const secure = certificate && createSecureServer({ ...settings, ...certificate }, handle)

/** Whoever asks what it has seen does so without TLS. */
const tell = () =>
  process.stdout.write(
    `${JSON.stringify({ port: portOf(secure ?? plain), control: portOf(plain) })}\n`
  )
const portOf = (server: Server) => (server.address() as AddressInfo).port
plain.listen(0, "127.0.0.1", () =>
  secure === undefined ? tell() : secure.listen(0, "127.0.0.1", tell)
)
// The one who started it holds the other end.
process.stdin.resume().on("end", () => process.exit())
