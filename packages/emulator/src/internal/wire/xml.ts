/** Writes and reads the XML of OSS. */
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Stream from "effect/Stream"
import type { Refusal } from "../../EmulatorError.ts"
import { refuse } from "./errors.ts"

/** An element: its name and its text or its children. */
export type Element = readonly [
  name: string,
  content: string | number | boolean | ReadonlyArray<Element>
]

export const document = (root: Element): string => written(root, () => "\ufffd")

/**
 * Writes a list of keys. XML 1.0 allows no control characters, not even escaped
 * ones. OSS sends them all the same: lenient parsers read them, and clients
 * with strict ones ask for URL encoding.
 */
export const listDocument = (root: Element): string =>
  written(root, (char) => `&#${char.charCodeAt(0)};`)

const written = (root: Element, control: (char: string) => string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${render(root, control)}\n`

const render = ([name, content]: Element, control: (char: string) => string): string =>
  `<${name}>${
    typeof content === "object"
      ? content.map((child) => render(child, control)).join("\n")
      : escape(String(content), control)
  }</${name}>`

const escape = (text: string, control: (char: string) => string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\r", "&#13;")
    .replace(/[^\P{Cc}\t\n\r\u007f-\u009f]/gu, control)
    .replace(/[\ufffe\uffff]/gu, "\ufffd")

/** The encoding of keys in a list: `url` percent-encodes them. */
export type Encoding = "url" | undefined

export const encoder = (encoding: Encoding) => (key: string) =>
  encoding === "url" ? encodeURIComponent(key).replaceAll("%2F", "/") : key

export const encodingType = (encoding: Encoding): ReadonlyArray<Element> =>
  encoding === undefined ? [] : [["EncodingType", encoding]]

export const timestamp = (millis: number): string => new Date(millis).toISOString()

/** An error, as OSS answers it. */
export const errorDocument = (fields: {
  readonly code: string
  readonly message: string
  readonly requestId: string
  readonly hostId: string
  readonly details?: Readonly<Record<string, string>> | undefined
}): string =>
  document([
    "Error",
    [
      ["Code", fields.code],
      ["Message", fields.message],
      ["RequestId", fields.requestId],
      ["HostId", fields.hostId],
      ...Object.entries(fields.details ?? {})
    ]
  ])

/** The elements at a path of a document. Fails with `MalformedXML`, also if the root has another name. */
export const elementsAt = (
  body: Uint8Array,
  path: readonly [root: string, ...children: ReadonlyArray<string>]
): Effect.Effect<ReadonlyArray<Xml.Element>, Refusal> =>
  Effect.suspend(() => {
    let root: string | undefined
    return Stream.make(Buffer.from(disguised(Buffer.from(body).toString("latin1")), "latin1")).pipe(
      Stream.pipeThroughChannel(Xml.decode()),
      Stream.tap((event) =>
        Effect.sync(() => {
          if (event._tag === "StartElement") root ??= event.name
        })
      ),
      Stream.pipeThroughChannel(Xml.elements(path)),
      Stream.runCollect,
      Effect.mapError(({ message }) => refuse("MalformedXML", message)),
      Effect.filterOrFail(
        () => root === path[0],
        () => refuse("MalformedXML", `The root must be ${path[0]}.`)
      )
    )
  })

/** The one root of a small document. */
export const rootOf = (body: Uint8Array, name: string): Effect.Effect<Xml.Element, Refusal> =>
  Effect.flatMap(elementsAt(body, [name]), ([root]) =>
    root === undefined ? Effect.fail(refuse("MalformedXML")) : Effect.succeed(root)
  )

export const childrenOf = (element: Xml.Element, name: string): ReadonlyArray<Xml.Element> =>
  element.children.flatMap((child) =>
    typeof child !== "string" && child.name === name ? [child] : []
  )

export const textOf = (element: Xml.Element): string =>
  element.children
    .filter((child) => typeof child === "string")
    .join("")
    .replace(/[\ufdd0-\ufdef]/g, (char) => String.fromCharCode(char.charCodeAt(0) - disguise))

/**
 * Clients send control characters in keys unescaped, and OSS reads them. XML
 * allows none, so the parser sees code points in their place that Unicode never
 * assigns.
 */
const disguised = (latin1: string): string =>
  latin1.replace(
    /[^\P{Cc}\t\n\r\u007f-\u009f]|&#(?:x0*(1?[0-9a-f])|0*([12]?\d|3[01]));/giu,
    (text, hex?: string, decimal?: string) => {
      const code =
        hex !== undefined ? Number.parseInt(hex, 16) : Number(decimal ?? text.charCodeAt(0))
      const isAllowed = code === 9 || code === 10 || code === 13
      return isAllowed ? text : Buffer.from(String.fromCharCode(code + disguise)).toString("latin1")
    }
  )

const disguise = 0xfdd0

/** The text of the first child of that name. */
export const childText = (element: Xml.Element, name: string): string | undefined => {
  const [child] = childrenOf(element, name)
  return child && textOf(child).trim()
}
