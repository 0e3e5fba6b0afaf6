/**
 * Where a bucket is: the options of a client, checked and completed.
 *
 * @internal
 */
import * as Result from "effect/Result"
import { InvalidRequest } from "../../UploadError.ts"

export interface Options {
  readonly bucket: string
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
  readonly pathStyle?: boolean | undefined
  readonly cname?: boolean | undefined
  readonly internal?: boolean | undefined
  readonly secure?: boolean | undefined
  readonly signature?: "v4" | "v1" | undefined
}

export interface Connection {
  readonly bucket: string
  /** With the prefix `oss-`. */
  readonly region: string
  /** Scheme, host and port. */
  readonly endpoint: string
  readonly pathStyle: boolean
  readonly cname: boolean
  readonly signature: "v4" | "v1"
}

export const resolve = (options: Options): Result.Result<Connection, InvalidRequest> => {
  const { bucket, cname = false, signature = "v4" } = options
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket)) return Result.fail(badBucket(bucket))
  if (options.region !== undefined && !/^[a-z0-9-]+$/.test(options.region)) {
    return Result.fail(badRegion(options.region))
  }
  return Result.flatMap(endpointOf(options), (endpoint) => {
    const region = regionOf(options.region ?? regionIn(endpoint.hostname) ?? "cn-hangzhou")
    // Few resolvers know the names below it.
    const pathStyle = options.pathStyle ?? (!cname && endpoint.hostname === "localhost")
    return !cname && !pathStyle && endpoint.hostname.startsWith(`${bucket}.`)
      ? Result.fail(bucketInEndpoint(endpoint.host, bucket))
      : Result.succeed({ bucket, region, endpoint: endpoint.origin, pathStyle, cname, signature })
  })
}

const endpointOf = (options: Options): Result.Result<URL, InvalidRequest> => {
  const { endpoint, region, secure = true } = options
  const scheme = secure ? "https" : "http"
  if (endpoint === undefined) {
    return region === undefined
      ? Result.fail(nowhere)
      : Result.succeed(new URL(`${scheme}://${hostOf(regionOf(region), options.internal)}`))
  }
  const text = /^[a-z]+:\/\//i.test(endpoint) ? endpoint : `${scheme}://${endpoint}`
  const plain = /^https?:\/\/[a-z0-9._-]+(:\d+)?\/?$/i.test(text)
  return plain
    ? Result.mapError(
        Result.try(() => new URL(text)),
        () => badEndpoint(endpoint)
      )
    : Result.fail(badEndpoint(endpoint))
}

const regionOf = (region: string): string =>
  /^(oss-|vpc100-)/.test(region) ? region : `oss-${region}`

const hostOf = (region: string, internal = false): string =>
  `${region}${internal && !region.startsWith("vpc100-") ? "-internal" : ""}.aliyuncs.com`

/** Signatures name the region: taking it from the endpoint spares users of other regions a refusal. */
const regionIn = (hostname: string): string | undefined =>
  /(?:^|\.)oss-((?!accelerate)[a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com$/.exec(hostname)?.[1]

const badBucket = (bucket: string) =>
  new InvalidRequest({
    field: "bucket",
    problem: `"${bucket}" can't be the name of a bucket`,
    remedy: "give 3 to 63 lower-case letters, digits and hyphens, without a hyphen at either end"
  })

const badRegion = (region: string) =>
  new InvalidRequest({
    field: "region",
    problem: `"${region}" can't be the name of a region`,
    remedy: "give a region such as cn-hangzhou"
  })

const badEndpoint = (endpoint: string) =>
  new InvalidRequest({
    field: "endpoint",
    problem: `"${endpoint.replace(/\/\/[^/]*@/, "//…@")}" is not the address of a server`,
    remedy: "give a host, with http:// or https:// and a port if need be, and nothing after it"
  })

const bucketInEndpoint = (host: string, bucket: string) =>
  new InvalidRequest({
    field: "endpoint",
    problem: `"${host}" has the bucket in it`,
    remedy: `leave "${bucket}." out, or set cname if this is a domain of the bucket's own`
  })

const nowhere = new InvalidRequest({
  field: "region",
  problem: "neither a region nor an endpoint is given",
  remedy: "give a region such as cn-hangzhou, or the endpoint of the bucket"
})
