/**
 * Which connections a request goes over: straight to its server, or through the
 * proxy that the environment names, by Node's own support for proxies. Agents of
 * a proxy are made when the first request needs them, and destroyed with the
 * scope.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Scope from "effect/Scope"
import { proxyFor } from "./proxy.ts"

type Agents = NodeHttpClient.HttpAgent["Service"]

/** The ways that requests may go. */
export interface Route {
  /** Connections that are used again. */
  readonly kept: Agents
  /** Connections that are made for one request. */
  readonly fresh: Agents
  /** Effect's own client over the kept connections, for what this library does not carry itself. */
  readonly others: HttpClient.HttpClient
}

export interface Options extends NodeHttpClient.HttpAgentOptions {
  readonly proxy?: string | false | undefined
}

/** Servers close idle connections too: the one that does so first is to be this side. In milliseconds. */
const idleTimeout = 4_000

/** The route to a URL, if it is one; fails with what is wrong with the proxy. */
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
      // Node reads the name that goes with the scheme; the others it need not know.
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
