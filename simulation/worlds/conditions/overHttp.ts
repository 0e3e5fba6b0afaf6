/**
 * The simulated OSS over HTTP, and what happens only there: answers that come
 * early, break off or never end, and lists that lead nowhere.
 */
import type { UploadResult } from "@effect-oss/core/UploadEvent"
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Stream from "effect/Stream"
import type { Answer, Face, Request } from "../../kernel/httpAnswer.ts"
import { Broken } from "../../kernel/pipe.ts"
import type { Server } from "../../kernel/server.ts"
import type { Endpoint } from "./endpoint.ts"

/** What goes wrong with requests over HTTP. */
export type Trouble =
  /** Something in between says 200 before it has read the body, and drops that. */
  | { readonly kind: "early" }
  /** The connection is closed once so many bytes of a body have arrived. */
  | { readonly kind: "cutRequest"; readonly bytes: number }
  /** OSS carries the request out, and the connection is closed before the head of the answer. */
  | { readonly kind: "cutHead" }
  /** The connection is closed in the middle of the answer's body. */
  | { readonly kind: "cutBody" }
  /** The answer's body ends in the middle, as if it were whole. */
  | { readonly kind: "short" }
  /** The answer has 17 MB of elements that nobody closes; `carriedOut`: OSS has done its work before. */
  | { readonly kind: "huge"; readonly status: number; readonly carriedOut: boolean }

export interface Troubles {
  /** The next requests that are struck, and how many. */
  trouble: Trouble | undefined
  left: number
  /** How many have been struck so far. */
  struck: number
}

/** What the lists of uploads and of parts do: repeat their marker, go beyond what can be, or never end. */
export type Lists = "repeat" | "beyond" | "endless"

export const make = (
  server: Server,
  endpoint: Endpoint,
  given: { readonly noCrc64: boolean; readonly now: () => number }
): Face => {
  const oss = honest(server)
  const told: Face = given.noCrc64
    ? (request) => Effect.map(oss(request), withoutCrc64)
    : (request) => oss(request)
  const lying = withLies(told, endpoint)
  const troubled = withTroubles(lying, endpoint)
  return (request) =>
    Effect.suspend(() => {
      if (given.now() < endpoint.awayUntil) return new Broken()
      const { middlebox } = endpoint
      if (middlebox.left === 0) return troubled(request)
      middlebox.left--
      const answer = htmlPage(middlebox.status)
      return middlebox.isLate
        ? Effect.as(Effect.exit(lying(request)), answer)
        : Effect.succeed(answer)
    })
}

/** The emulator's face. */
const honest =
  (server: Server): Face =>
  ({ method, url, headers, body }) =>
    Effect.suspend(() => {
      let isCut = false
      const cut = Effect.sync(() => {
        isCut = true
      })
      return server
        .answer({ method, url, headers, stream: body, cut, takeSome: Effect.void })
        .pipe(Effect.flatMap((response) => (isCut ? new Broken() : answerOf(response, method))))
    })

/** As Node writes it. */
const answerOf = ({ status, headers, body }: HttpServerResponse, method: string) => {
  const answer = (bytes: Uint8Array): Answer => ({
    status,
    headers:
      bytes.length > 0 ? { ...headers, "content-length": String(bytes.length) } : { ...headers },
    body: () => (bytes.length > 0 && method !== "HEAD" ? [bytes] : []),
    isCut: false
  })
  switch (body._tag) {
    case "Uint8Array":
      return Effect.succeed(answer(body.body))
    case "Stream":
      return Effect.map(Effect.orDie(Stream.mkUint8Array(body.stream)), answer)
    default:
      return Effect.succeed(answer(new Uint8Array()))
  }
}

/** Pages of HTML, as proxies and captive portals have them. */
const htmlPage = (status: number): Answer => {
  const page = encoder.encode(`<html><body><h1>${status}</h1><hr>nginx</body></html>`)
  return {
    status,
    headers: {
      server: "nginx",
      "content-type": "text/html",
      "content-length": String(page.length),
      ...(status === 302 ? { location: "http://portal.test/login" } : {})
    },
    body: () => [page],
    isCut: false
  }
}

const encoder = new TextEncoder()

/** The answer with another text as its body. */
const withText = (answer: Answer, change: (text: string) => string): Answer => {
  const bytes = encoder.encode(change(textOf(answer)))
  return {
    ...answer,
    headers: { ...answer.headers, "content-length": String(bytes.length) },
    body: () => [bytes]
  }
}

const textOf = (answer: Answer): string => {
  const decoder = new TextDecoder()
  return Array.from(answer.body(), (piece) => decoder.decode(piece, { stream: true })).join("")
}

const isXml = ({ headers }: Answer) => headers["content-type"]?.includes("xml") === true

const withoutCrc64 = (answer: Answer): Answer => {
  const { "x-oss-hash-crc64ecma": _, ...headers } = answer.headers
  const plain = { ...answer, headers }
  return isXml(answer)
    ? withText(plain, (text) => text.replaceAll(/<HashCrc64ecma>\d*<\/HashCrc64ecma>/g, ""))
    : plain
}

/** HEAD and lists say what is not so. */
const withLies =
  (face: Face, endpoint: Endpoint): Face =>
  (request) =>
    Effect.suspend(() => {
      if (request.method === "HEAD") endpoint.lied = false
      return Effect.map(face(request), (answer) => {
        if (request.method === "HEAD") return lyingHead(answer, endpoint)
        const { lists } = endpoint
        return request.method === "GET" && lists !== undefined && answer.status === 200
          ? withText(answer, (text) => leadingNowhere(text, lists, request.url))
          : answer
      })
    })

const lyingHead = (answer: Answer, endpoint: Endpoint): Answer => {
  if (answer.status !== 200) return answer
  endpoint.lied = endpoint.liesAboutObjects
  if (!endpoint.liesAboutObjects) return answer
  const size = Number(answer.headers["content-length"])
  const { "x-oss-hash-crc64ecma": _, ...headers } = answer.headers
  return size % 2 === 0
    ? { ...answer, headers: { ...headers, "content-length": String(size + 7) } }
    : {
        ...answer,
        status: 404,
        headers: {
          date: headers["date"] ?? "",
          "x-oss-request-id": headers["x-oss-request-id"] ?? "",
          "x-oss-err": btoa("<Error><Code>NoSuchKey</Code></Error>")
        }
      }
}

/** A page that says that there is another one. */
const leadingNowhere = (page: string, lists: Lists, url: string): string => {
  const { searchParams } = new URL(url, "http://oss.test")
  const part = Number(searchParams.get("part-number-marker") ?? 0)
  const key = searchParams.get("key-marker") ?? "a"
  const id = searchParams.get("upload-id-marker") ?? "A"
  const markers = {
    repeat: { part, key, id },
    beyond: { part: 20_000, key: "", id },
    endless: { part: part + 1_000, key: `${key}a`, id }
  }[lists]
  return page
    .replace("<IsTruncated>false<", "<IsTruncated>true<")
    .replace(/(<NextPartNumberMarker>)[^<]*/, `$1${markers.part}`)
    .replace(/(<NextKeyMarker>)[^<]*|<NextKeyMarker\/>/, `<NextKeyMarker>${markers.key}`)
    .replace(/(<NextUploadIdMarker>)[^<]*/, `$1${markers.id}`)
}

const withTroubles =
  (face: Face, endpoint: Endpoint): Face =>
  (request) =>
    Effect.suspend(() => {
      const { trouble } = endpoint.troubles
      if (trouble === undefined || endpoint.troubles.left === 0) return face(request)
      const struck = strike(face, request, trouble)
      if (struck === undefined) return face(request)
      endpoint.troubles.left--
      endpoint.troubles.struck++
      return struck
    })

/** Undefined: this trouble does not concern the request. */
const strike = (
  face: Face,
  request: Request,
  trouble: Trouble
): Effect.Effect<Answer, Broken> | undefined => {
  switch (trouble.kind) {
    case "early":
      return request.method === "PUT" ? Effect.succeed(earlyAnswer) : undefined
    case "cutRequest":
      return request.method === "PUT"
        ? face({ ...request, body: cutAfter(request.body, trouble.bytes) })
        : undefined
    case "cutHead":
      return Effect.andThen(face(request), new Broken())
    case "cutBody":
      return Effect.map(face(request), (answer) => ({ ...halved(answer), isCut: true }))
    case "short":
      return Effect.map(face(request), (answer) => {
        const { "content-length": _, ...headers } = answer.headers
        return request.method === "HEAD" ? answer : { ...halved(answer), headers }
      })
    case "huge":
      return trouble.carriedOut
        ? Effect.as(Effect.exit(face(request)), hugeAnswer(trouble.status))
        : Effect.succeed(hugeAnswer(trouble.status))
  }
}

/** Of what is not stored. */
const earlyEtag = `"00000000000000000000000000000000"`

/** Where HEAD may not be asked, nothing tells a short body that was dropped from one that was stored. */
export const isDropped = ({ etag, verified }: UploadResult): boolean =>
  etag === earlyEtag && !verified

const earlyAnswer: Answer = {
  status: 200,
  headers: { etag: earlyEtag, "x-oss-request-id": "0" },
  body: () => [],
  isCut: false
}

const cutAfter = (body: Request["body"], bytes: number): Request["body"] =>
  Stream.suspend(() => {
    let left = bytes
    return Stream.mapEffect(body, (piece) => {
      left -= piece.length
      return left < 0 ? new Broken() : Effect.succeed(piece)
    })
  })

const halved = (answer: Answer): Answer => {
  const text = textOf(answer)
  return { ...answer, body: () => [encoder.encode(text.slice(0, text.length >> 1))] }
}

const hugePiece = encoder.encode("<a>".repeat(16 * 1024))

/** Of 17 MB. */
const hugePieces = Math.ceil((17 * 1024 * 1024) / hugePiece.length)

const hugeAnswer = (status: number): Answer => ({
  status,
  headers: { "content-type": "application/xml", "x-oss-request-id": "0" },
  *body() {
    for (let left = hugePieces; left > 0; left--) yield hugePiece
  },
  isCut: false
})
