/**
 * Classifies failed connections. `Transport` may go away. `Misconnected` stays
 * until the endpoint or this machine is set up differently.
 *
 * @internal
 */
import { Misconnected, Transport } from "../../OssError.ts"

/** Classifies the error of an HTTP engine. */
export const connectionError = (thrown: unknown): Transport | Misconnected => {
  const causes = innermost(thrown)
  const description = causes.map(describe).join("; ") || "no further details"
  const remedy = causes.map(remedyOf).find((remedy) => remedy !== undefined)
  return remedy === undefined
    ? new Transport({ description })
    : new Misconnected({ description, remedy })
}

/** HTTP engines wrap errors. With several addresses, each one has its own cause. */
const innermost = (thrown: unknown): ReadonlyArray<Error> => {
  if (!(thrown instanceof Error)) return []
  if (thrown.cause instanceof Error) return innermost(thrown.cause)
  return thrown instanceof AggregateError && thrown.errors.length > 0
    ? thrown.errors.flatMap(innermost)
    : [thrown]
}

const codeOf = (cause: Error): string =>
  "code" in cause && typeof cause.code === "string" ? cause.code : ""

const describe = (cause: Error): string => {
  const code = codeOf(cause) || cause.name
  // A proxy's address may contain its password.
  const message = cause.message.replaceAll(/\/\/[^/@\s]*@/g, "//…@")
  return message.includes(code) ? message : `${code}: ${message}`
}

const remedyOf = (cause: Error): string | undefined => {
  // Some engines give a remedy of their own.
  if ("remedy" in cause && typeof cause.remedy === "string") return cause.remedy
  const code = codeOf(cause)
  if (code === "ERR_INVALID_PROXY") {
    return "give the proxy as a URL with its scheme, such as http://proxy:3128"
  }
  if (code === "ERR_UNSUPPORTED_PROXY") {
    return "use Node 22.21, 24.5 or later, or unset HTTP_PROXY, HTTPS_PROXY and ALL_PROXY"
  }
  if (code === "ERR_PROXY_TUNNEL" && /\b407\b/.test(cause.message)) {
    return "give the proxy's user and password, as in HTTPS_PROXY=http://user:password@proxy:3128"
  }
  if (wrongName.has(code)) {
    return "use an endpoint that the certificate names; a domain of the bucket's own needs cname"
  }
  if (expired.has(code))
    return "check this machine's clock, and have the server's certificate renewed"
  if (untrusted.test(code)) {
    return "if you trust the server, set NODE_EXTRA_CA_CERTS to a file with the certificate that signed its own"
  }
  if (isPlain(code, cause.message)) {
    return "the server speaks no TLS at this port: give the endpoint with http://, or the port of its HTTPS"
  }
  if (isTlsAnswer(code, cause)) {
    return "the server speaks TLS at this port: give the endpoint with https://"
  }
  return undefined
}

const wrongName: ReadonlySet<string> = new Set([
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "HOSTNAME_MISMATCH",
  // Bun and Deno.
  "ERR_TLS_CERT_ALTNAME_FORMAT"
])

const expired: ReadonlySet<string> = new Set(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"])

/** OpenSSL's other codes for a certificate that is not trusted. */
const untrusted =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT|GET_ISSUER_CERT_LOCALLY|VERIFY_LEAF_SIGNATURE|DECRYPT_CERT_SIGNATURE|DECODE_ISSUER_PUBLIC_KEY)|CERT_(UNTRUSTED|REJECTED|REVOKED|SIGNATURE_FAILURE|CHAIN_TOO_LONG)|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED)$/

const isPlain = (code: string, message: string): boolean =>
  code === "ERR_SSL_WRONG_VERSION_NUMBER" ||
  code === "ERR_SSL_PACKET_LENGTH_TOO_LONG" ||
  (code === "EPROTO" && /wrong version number|packet length too long/i.test(message))

/** True if the server sent a TLS alert instead of HTTP: content type 21, version 3. */
const isTlsAnswer = (code: string, cause: Error): boolean =>
  code.startsWith("HPE_") &&
  "rawPacket" in cause &&
  cause.rawPacket instanceof Uint8Array &&
  cause.rawPacket[0] === 0x15 &&
  cause.rawPacket[1] === 0x03
