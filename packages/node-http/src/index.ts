/**
 * Effect's `HttpClient` over node:http for requests with large bodies, and the
 * credentials that Alibaba's tools use.
 *
 * @since 0.1.0
 */
export * as NodeOssCredentials from "./NodeOssCredentials.ts"
export * as NodeOssHttp from "./NodeOssHttp.ts"
