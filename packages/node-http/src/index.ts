/**
 * Effect's `HttpClient` over node:http, for requests with large bodies.
 *
 * @since 0.1.0
 */
export * as NodeOssHttp from "./NodeOssHttp.ts"
