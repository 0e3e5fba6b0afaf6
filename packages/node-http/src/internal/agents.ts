/**
 * Chooses the connections of a request: directly to its server, or through the
 * proxy of the environment, with Node's own proxy support. The agents of a
 * proxy are created when the first request needs them, and destroyed with the
 * scope.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Scope from "effect/Scope"
import { proxyFor } from "./proxy.ts"

type Agents = NodeHttpClient.HttpAgent["Service"]

/** The connections for one route. */
export interface Route {
  /** Reused connections. */
  readonly kept: Agents
  /** Connections for one request only. */
  readonly fresh: Agents
  /** Effect's own client over the reused connections, for requests that this library does not send itself. */
  readonly others: HttpClient.HttpClient
}

export interface Options extends NodeHttpClient.HttpAgentOptions {
  readonly proxy?: string | false | undefined
}

/** In milliseconds. Servers close idle connections too; this side should close them first. */
const idleTimeout = 4_000

/** Returns the route to a URL. Fails if the proxy is invalid. */
export type RouteTo = (url: URL | undefined) => Effect.Effect<Route, Error>

export const make = Effect.fnUntraced(function* ({ proxy, ...options }: Options) {
  const scope = yield* Effect.scope
  const keeping = { keepAlive: true, timeout: idleTimeout, ...options }
  const passing = { ...options, keepAlive: false }
  const direct = yield* routeOver(
    yield* NodeHttpClient.makeAgent(keeping),
    yield* NodeHttpClient.makeAgent(passing)
  )
  const proxied = new Map<string, Effect.Effect<Route>>()

  const through = (address: string) =>
    Effect.gen(function* () {
      // Node reads the variable for the URL's scheme; it needs no other.
      const own = { proxyEnv: { HTTP_PROXY: address, HTTPS_PROXY: address } }
      return yield* routeOver(
        yield* NodeHttpClient.makeAgent({ ...keeping, ...own }),
        yield* NodeHttpClient.makeAgent({ ...passing, ...own })
      )
    }).pipe(Scope.provide(scope))

  const routeTo: RouteTo = (url) =>
    url === undefined
      ? Effect.succeed(direct)
      : Effect.flatMap(proxyFor(url, proxy), (address) =>
          address === undefined ? Effect.succeed(direct) : proxiedBy(address)
        )

  const proxiedBy = Effect.fnUntraced(function* (address: string) {
    const known = proxied.get(address) ?? (yield* Effect.cached(through(address)))
    proxied.set(address, known)
    return yield* known
  })
  return routeTo
})

const routeOver = (kept: Agents, fresh: Agents): Effect.Effect<Route> =>
  Effect.map(
    Effect.provideService(NodeHttpClient.makeNodeHttp, NodeHttpClient.HttpAgent, kept),
    (others) => ({ kept, fresh, others })
  )
