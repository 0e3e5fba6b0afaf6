/** Plain requests to the emulator over HTTP, for what no client sends. */
import { OssEmulator } from "@effect-oss/emulator"
import { Data, Effect } from "effect"
import { connect } from "node:net"
import { aliOss, bucket, bytesOf, withServer } from "./support.ts"

export const content = bytesOf(300_000)

/** Everybody is let in, so that plain requests will do. */
export const open = withServer({ credentials: [] })

export class RequestFailed extends Data.TaggedError("RequestFailed")<{ readonly cause: unknown }> {}

export const request = Effect.fnUntraced(function* (
  path: string,
  init: RequestInit & { readonly duplex?: "half" } = {}
) {
  const { url } = yield* OssEmulator.OssEmulator
  return yield* Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(`${url}/${path}`, { signal, ...init })
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: Buffer.from(await response.arrayBuffer())
      }
    },
    catch: (cause) => new RequestFailed({ cause })
  })
})

export const put = (path: string, body: Uint8Array, headers: Record<string, string> = {}) =>
  request(`${bucket}/${path}`, { method: "PUT", body: Buffer.from(body), headers })

/** Takes a presigned URL, which names the bucket's host, to the emulator. */
export const getSigned = (signed: string, url: string) =>
  Effect.promise(async () => {
    const { pathname, search } = new URL(signed)
    const path = pathname.replace(`/${bucket}/`, "/")
    const response = await fetch(`${url}/${bucket}${path}${search}`)
    return [response.status, Buffer.from(await response.arrayBuffer())] as const
  })

/** As for OSS itself: ali-oss refuses to sign URLs of an IP by version 1. */
export const presigning = (options: Parameters<typeof aliOss>[1] = {}) =>
  aliOss("http://oss-cn-hangzhou.aliyuncs.com", options)

export const listOf = (part: string) =>
  `<CompleteMultipartUpload><Part>${part}</Part></CompleteMultipartUpload>`

export const elementOf = (xml: Buffer, name: string) =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml.toString())?.[1]

export const initiate = (headers: Record<string, string> = {}) =>
  Effect.map(
    request(`${bucket}/k?uploads`, { method: "POST", headers }),
    ({ body }) => elementOf(body, "UploadId") ?? ""
  )

export const stored = (key: string) =>
  OssEmulator.OssEmulator.use((emulator) => emulator.object(bucket, key))

/** What a server sends back to these lines, until `enough` or the connection ends. */
export const raw = (url: string, lines: ReadonlyArray<string>, enough: RegExp = /\r\n\r\n/) =>
  Effect.callback<string>((resume) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1")
    let text = ""
    socket.on("data", (data) => {
      text += data
      if (enough.test(text)) socket.destroy()
    })
    socket.on("close", () => resume(Effect.succeed(text)))
    socket.write(lines.join("\r\n"))
    return Effect.sync(() => socket.destroy())
  })
