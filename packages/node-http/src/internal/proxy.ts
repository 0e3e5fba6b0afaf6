/**
 * Chooses the proxy of a request from the environment: `HTTP_PROXY`,
 * `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in lower or upper case.
 */
import * as Effect from "effect/Effect"
import { getProxyForUrl } from "proxy-from-env"

/** The proxy's address; undefined if the request goes directly to its server. `given` replaces the environment. */
export const proxyFor = (
  url: URL,
  given: string | false | undefined
): Effect.Effect<string | undefined, Error> =>
  Effect.suspend((): Effect.Effect<string | undefined, Error> => {
    const address = given ?? (isOfThisMachine(url.hostname) ? "" : getProxyForUrl(url.href))
    if (address === false || address === "") return Effect.undefined
    if (!isProxy(address)) return Effect.fail(new InvalidProxy())
    return canProxy(process.versions.node)
      ? Effect.succeed(address)
      : Effect.fail(new UnsupportedProxy())
  })

/**
 * True for names of this machine, which a proxy can't reach, and for the
 * metadata service, where a proxy would get its own role. Go programs, such as
 * ossutil, do the same.
 */
const isOfThisMachine = (hostname: string): boolean =>
  hostname === "localhost" ||
  hostname === "[::1]" ||
  hostname === "100.100.100.200" ||
  /^127\.\d+\.\d+\.\d+$/.test(hostname)

const isProxy = (address: string): boolean => /^https?:\/\//i.test(address) && URL.canParse(address)

/** Node's agents support proxies since 22.21 and 24.5. */
export const canProxy = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21)
}

/** The address may contain a password, so the message leaves it out. */
class InvalidProxy extends Error {
  readonly code = "ERR_INVALID_PROXY"
  override readonly message =
    "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names no proxy with http:// or https://"
}

class UnsupportedProxy extends Error {
  readonly code = "ERR_UNSUPPORTED_PROXY"
  override readonly message = "this version of Node can't use proxies"
}
