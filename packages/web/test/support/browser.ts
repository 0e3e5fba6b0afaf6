/** A real browser, a server of pages, and an emulator that checks signatures and speaks CORS. */
import { NodeHttpServer } from "@effect/platform-node"
import { OssEmulator } from "@effect-oss/emulator"
import chromium, { inflate, setupLambdaEnvironment } from "@sparticuz/chromium"
import { Context, Effect, Layer, Schema } from "effect"
import { HttpRouter, HttpServer, HttpServerResponse } from "effect/http"
import { build } from "esbuild"
import { createServer } from "node:http"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { launch, type Browser as Chrome, type Page } from "puppeteer-core"
import type { Place } from "./page.ts"

/** Set it to an installed Chromium or Chrome where the one of @sparticuz/chromium doesn't run. */
const variable = "EFFECT_OSS_BROWSER"

export class NoBrowser extends Schema.TaggedError<NoBrowser>()("NoBrowser", {
  cause: Schema.Defect()
}) {
  override get message() {
    return `no browser starts here: set ${variable} to the path of Chromium or Chrome (${String(this.cause)})`
  }
}

const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage"
]

const launched = (profile?: string) =>
  Effect.tryPromise({
    try: () =>
      Promise.resolve(process.env[variable] ?? chromium.executablePath()).then((executablePath) =>
        launch({
          executablePath,
          args: flags,
          timeout: 120_000,
          protocolTimeout: 300_000,
          ...(profile !== undefined && { userDataDir: profile })
        })
      ),
    catch: (cause) => new NoBrowser({ cause })
  })

/** On a machine without the libraries of a desktop, with those that the package brings for such machines. */
const withOwnLibraries = Effect.tryPromise({
  try: () => {
    const bin = resolve(fileURLToPath(import.meta.resolve("@sparticuz/chromium")), "../../bin")
    return inflate(resolve(bin, "al2023.tar.br")).then((directory) =>
      setupLambdaEnvironment(resolve(directory, "lib"))
    )
  },
  catch: (cause) => new NoBrowser({ cause })
})

/** A browser with this profile, or a fresh one; closed with the scope. */
export const start = (profile?: string) =>
  Effect.acquireRelease(
    Effect.catch(launched(profile), () => Effect.andThen(withOwnLibraries, launched(profile))),
    (chrome) => Effect.promise(() => chrome.close().catch(() => {}))
  )

/** One for all tests of a file. */
export class Browser extends Context.Service<Browser, Chrome>()("test/Browser") {
  static readonly layer = Layer.effect(Browser, start())
}

/** A script with all that it imports, as a browser takes it. */
export const bundle = (entry: string) =>
  Effect.map(
    Effect.promise(() =>
      build({
        entryPoints: [entry],
        bundle: true,
        write: false,
        format: "esm",
        platform: "browser",
        target: "es2022",
        logLevel: "silent"
      })
    ),
    ({ outputFiles }) => outputFiles[0]?.text ?? ""
  )

const html = `<!doctype html><title>test</title><link rel="icon" href="data:,"><input type="file"><script type="module" src="/page.js"></script>`

/** Forbids WebAssembly: it would need 'wasm-unsafe-eval'. */
const strict = "default-src 'none'; script-src 'self'; connect-src *; img-src data:"

/** Gives the page an origin of its own that may store nothing, as some private windows do. */
const sandboxed = "sandbox allow-scripts"

const withPolicy = (policy: string) =>
  Effect.succeed(
    HttpServerResponse.setHeader(HttpServerResponse.html(html), "content-security-policy", policy)
  )

const pages = Effect.gen(function* () {
  const script = yield* bundle(resolve(import.meta.dirname, "page.ts"))
  return Layer.mergeAll(
    HttpRouter.add("GET", "/", Effect.succeed(HttpServerResponse.html(html))),
    HttpRouter.add("GET", "/strict", withPolicy(strict)),
    HttpRouter.add("GET", "/sandboxed", withPolicy(sandboxed)),
    HttpRouter.add(
      "GET",
      "/page.js",
      Effect.succeed(
        HttpServerResponse.text(script, {
          contentType: "text/javascript",
          // The sandboxed page is of no origin.
          headers: { "access-control-allow-origin": "*" }
        })
      )
    )
  )
})

/** Where the pages are: at `/`, at `/strict` without WebAssembly, at `/sandboxed` without storage. */
export class Pages extends Context.Service<Pages, { readonly url: string }>()("test/Pages") {
  static readonly layer = Layer.effect(
    Pages,
    HttpServer.addressFormattedWith((url) => Effect.succeed({ url }))
  ).pipe(
    Layer.provideMerge(HttpRouter.serve(Layer.unwrap(pages), { disableLogger: true })),
    Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
  )
}

const keys = { accessKeyId: "STS.test", accessKeySecret: "secret", securityToken: "token" }

/** An emulator that lets pages of this machine in. */
export const emulator = (cors: Partial<OssEmulator.CorsRule> = {}) =>
  OssEmulator.layer({
    credentials: [keys],
    buckets: ["photos"],
    cors: [{ allowedOrigins: ["http://127.0.0.1*"], ...cors }]
  })

/** What the page has to know of it. */
export const placeAt = (endpoint: string): Place => ({ endpoint, bucket: "photos", ...keys })

/** A new tab at this path of the pages. */
export const open = (path = "/") =>
  Effect.gen(function* () {
    const chrome = yield* Browser
    const { url } = yield* Pages
    const page = yield* Effect.promise(() => chrome.newPage())
    yield* visit(page, new URL(path, url).href)
    return page
  })

export const visit = (page: Page, url: string) =>
  Effect.promise(() =>
    page.goto(url).then(() => page.waitForFunction("globalThis.page !== undefined"))
  )
