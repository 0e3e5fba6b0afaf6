/**
 * Checks the options of a client and completes them to the place of its bucket.
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
  /** `none`: URLs are presigned. */
  readonly signature?: "v4" | "v1" | "none" | undefined
  readonly requestPayer?: boolean | undefined
  readonly trafficLimit?: number | undefined
}

/** The place of a bucket. */
export interface Place {
  readonly bucket: string
  /** With the prefix `oss-`. */
  readonly region: string
  /** Scheme, host and port. */
  readonly endpoint: string
  readonly pathStyle: boolean
  readonly cname: boolean
  readonly signature: "v4" | "v1" | "none"
  readonly requestPayer?: boolean | undefined
  readonly trafficLimit?: number | undefined
}

export interface Connection extends Place {
  /** Ends in `/`: append an encoded key, or nothing. */
  readonly bucketUrl: string
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>
  /** Sent with each request that carries an object's bytes. */
  readonly limitHeaders: Readonly<Record<string, string>>
}

export const resolve = (options: Options): Result.Result<Connection, InvalidRequest> => {
  const { bucket, cname = false, signature = "v4", trafficLimit, requestPayer } = options
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket)) return Result.fail(badBucket(bucket))
  if (options.region !== undefined && !/^[a-z0-9-]+$/.test(options.region)) {
    return Result.fail(badRegion(options.region))
  }
  if (trafficLimit !== undefined && !isTrafficLimit(trafficLimit)) {
    return Result.fail(badTrafficLimit(trafficLimit))
  }
  return Result.flatMap(endpointOf(options), (endpoint) => {
    const { hostname, host, origin } = endpoint
    // An IP address has no subdomains, and few resolvers know those of localhost.
    const pathStyle = options.pathStyle ?? (!cname && (hostname === "localhost" || isIp(hostname)))
    if (!cname && !pathStyle && hostname.startsWith(`${bucket}.`)) {
      return Result.fail(bucketInEndpoint(host, bucket))
    }
    return Result.map(regionFor(options, hostname), (region) =>
      connect({
        bucket,
        region,
        endpoint: origin,
        pathStyle,
        cname,
        signature,
        requestPayer,
        trafficLimit
      })
    )
  })
}

/** OSS's range, in bits a second for each connection. */
const isTrafficLimit = (limit: number) =>
  Number.isInteger(limit) && limit >= 819_200 && limit <= 838_860_800

export const connect = (place: Place): Connection => {
  const { bucket, endpoint, pathStyle, cname, requestPayer, trafficLimit } = place
  const { protocol, host, hostname } = new URL(endpoint)
  const isBare = cname || pathStyle || isIp(hostname)
  return {
    ...place,
    bucketUrl: `${protocol}//${isBare ? "" : `${bucket}.`}${host}/${pathStyle ? `${bucket}/` : ""}`,
    headers: {
      // With an IP address, only this header can name the bucket.
      ...(isIp(hostname) && !pathStyle && !cname
        ? { host: `${bucket}.${place.region || "oss"}.aliyuncs.com` }
        : {}),
      ...(requestPayer === true ? { "x-oss-request-payer": "requester" } : {})
    },
    limitHeaders: trafficLimit === undefined ? {} : { "x-oss-traffic-limit": String(trafficLimit) }
  }
}

/** Takes the `hostname` of a `URL`, which has IPv6 in brackets. */
const isIp = (hostname: string): boolean =>
  hostname.startsWith("[") || /^\d+(\.\d+){3}$/.test(hostname)

const endpointOf = (options: Options): Result.Result<URL, InvalidRequest> => {
  const { endpoint, region, secure = true } = options
  const scheme = secure ? "https" : "http"
  if (endpoint === undefined) {
    return region === undefined
      ? Result.fail(nowhere)
      : Result.succeed(new URL(`${scheme}://${hostOf(regionOf(region), options.internal)}`))
  }
  const text = /^[a-z]+:\/\//i.test(endpoint) ? endpoint : `${scheme}://${endpoint}`
  const plain = /^https?:\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d+)?\/?$/i.test(text)
  if (!plain) return Result.fail(badEndpoint(endpoint))
  return Result.try(() => new URL(text)).pipe(
    Result.mapError(() => badEndpoint(endpoint)),
    Result.filterOrFail(
      ({ hostname }) => isIp(hostname) || isName(hostname),
      () => unknowable(endpoint)
    )
  )
}

/** DNS: labels of 1 to 63 characters, 253 in all. RFC 6761: names in `.invalid` don't exist. */
const isName = (hostname: string): boolean =>
  hostname.length <= 253 &&
  hostname
    .replace(/\.$/, "")
    .split(".")
    .every((label) => /^(?!-).{1,63}(?<!-)$/.test(label)) &&
  !/(^|\.)invalid\.?$/.test(hostname)

const regionOf = (region: string): string =>
  /^(oss-|vpc100-)/.test(region) ? region : `oss-${region}`

const hostOf = (region: string, internal = false): string =>
  `${region}${internal && !region.startsWith("vpc100-") ? "-internal" : ""}.aliyuncs.com`

/** Version 4 signs the region: a wrong one makes OSS refuse every request. */
const regionFor = (
  { region, signature = "v4" }: Options,
  hostname: string
): Result.Result<string, InvalidRequest> => {
  const known = region ?? regionIn(hostname)
  if (known === undefined && signature === "v4" && hostname.endsWith(".aliyuncs.com")) {
    return Result.fail(noRegion(hostname))
  }
  return Result.succeed(regionOf(known ?? "cn-hangzhou"))
}

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

const badTrafficLimit = (limit: number) =>
  new InvalidRequest({
    field: "trafficLimit",
    problem: `OSS can't limit a connection to ${limit} bits a second`,
    remedy: "give a whole number from 819200 to 838860800"
  })

const noRegion = (hostname: string) =>
  new InvalidRequest({
    field: "region",
    problem: `"${hostname}" does not name the bucket's region, which signatures need`,
    remedy: "give the region as well, such as cn-hangzhou"
  })

const unknowable = (endpoint: string) =>
  new InvalidRequest({
    field: "endpoint",
    problem: `the host name in "${endpoint}" can't exist`,
    remedy: "give a host name that exists, such as oss-cn-hangzhou.aliyuncs.com"
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
    problem: `"${host}" already contains the bucket's name`,
    remedy: `leave "${bucket}." out, or set cname if this is a domain of the bucket's own`
  })

const nowhere = new InvalidRequest({
  field: "region",
  problem: "neither a region nor an endpoint is given",
  remedy: "give a region such as cn-hangzhou, or the endpoint of the bucket"
})
