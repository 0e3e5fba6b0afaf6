/** A machine of the test's own: its variables, the files of its home, and the services it can reach. */
import { NodeServices } from "@effect/platform-node"
import type * as OssCredentials from "@effect-oss/core/OssCredentials"
import { ConfigProvider, Effect, FileSystem, Redacted } from "effect"
import {
  HttpClient,
  HttpClientError,
  type HttpClientRequest,
  HttpClientResponse
} from "effect/http"
import { dirname } from "node:path"
import { NodeOssCredentials } from "../../src/index.ts"

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Of a form. */
  readonly form: URLSearchParams
}

export interface Answer {
  readonly status?: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  /** In milliseconds, or never. */
  readonly after?: number | "never"
}

/** Undefined: there is no such host. */
export type Answerer = (request: Asked) => Answer | undefined

export interface World {
  readonly env?: Readonly<Record<string, string>>
  /** By their paths below the home directory. */
  readonly files?: Readonly<Record<string, string>>
  readonly answer?: Answerer
}

/** The rest of its keys' names and values are made of `name`. */
export const issued = (name: string, expiration = "1970-01-01T06:00:00Z") => ({
  AccessKeyId: `STS.${name}`,
  AccessKeySecret: `hidden-${name}`,
  SecurityToken: `hidden-token-${name}`,
  Expiration: expiration
})

const client = (answer: Answerer, asked: Array<Asked>) =>
  HttpClient.make((request, url) =>
    Effect.gen(function* () {
      const received: Asked = {
        method: request.method,
        url: url.href,
        headers: request.headers,
        form: new URLSearchParams(textOf(request))
      }
      asked.push(received)
      const given = answer(received)
      if (given === undefined) {
        const cause = Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" })
        const reason = new HttpClientError.TransportError({ request, cause })
        return yield* new HttpClientError.HttpClientError({ reason })
      }
      const { status = 200, body, headers = {}, after = 0 } = given
      yield* after === "never" ? Effect.never : Effect.sleep(after)
      return HttpClientResponse.fromWeb(request, new Response(body, { status, headers }))
    })
  )

const textOf = ({ body }: HttpClientRequest.HttpClientRequest): string =>
  body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : ""

/** Runs an effect, such as the search for credentials, in a world. */
export const within =
  (world: World, asked: Array<Asked> = []) =>
  <A, E>(self: Effect.Effect<A, E, NodeOssCredentials.Services>): Effect.Effect<A, E> =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const home = yield* Effect.orDie(fs.makeTempDirectoryScoped())
      for (const [path, text] of Object.entries(world.files ?? {})) {
        yield* Effect.orDie(fs.makeDirectory(dirname(`${home}/${path}`), { recursive: true }))
        yield* Effect.orDie(fs.writeFileString(`${home}/${path}`, text))
      }
      const env = Object.fromEntries(
        Object.entries({ HOME: home, ...world.env }).map(([name, value]) => [
          name,
          value.replace("~", home)
        ])
      )
      return yield* self.pipe(
        Effect.provideService(
          HttpClient.HttpClient,
          client(world.answer ?? (() => undefined), asked)
        ),
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

/** With its secrets in the open. */
export const opened = ({
  accessKeyId,
  accessKeySecret,
  securityToken,
  expiresAt
}: OssCredentials.Credentials): ReadonlyArray<string | number | undefined> => [
  accessKeyId,
  Redacted.value(accessKeySecret),
  securityToken && Redacted.value(securityToken),
  expiresAt
]

/** What the chain finds in a world. */
export const find = (
  world: World,
  options?: NodeOssCredentials.Options,
  asked?: Array<Asked>
): Effect.Effect<ReturnType<typeof opened>, NodeOssCredentials.CredentialsError> =>
  Effect.map(within(world, asked)(NodeOssCredentials.chain(options)), opened)
