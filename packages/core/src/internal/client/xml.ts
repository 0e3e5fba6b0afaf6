/**
 * Reads and writes the XML of OSS's protocol. Responses are small and plain, so a
 * page doesn't need a full parser. A DOCTYPE is refused, so a document can't
 * define entities or read from elsewhere. The limits bound the memory that a
 * hostile response can take.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type Problem, tokenAt, referencesIn } from "./xmlTokens.ts"

/** An element, with its text and its child elements. */
export interface Element {
  readonly name: string
  readonly text: string
  readonly children: ReadonlyArray<Element>
}

/** OSS's answers nest four levels deep. */
const maxDepth = 8

/** Characters of one tag or one text: a key has up to 1,023 bytes, each up to three characters. */
export const maxTokenSize = 64 * 1024

/** A page of 1,000 uploads has some 7,000. */
const maxElements = 20_000

/** The document's root element. Fails if the document is malformed or exceeds a limit. */
export const parse = (bytes: Uint8Array): Effect.Effect<Element, Problem> =>
  Effect.suspend(() => Effect.fromResult(Result.flatMap(textOf(bytes), read)))

/** Characters that XML forbids. */
// oxlint-disable-next-line no-control-regex
const forbidden = /[\0-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/

const textOf = (bytes: Uint8Array): Result.Result<string, Problem> =>
  Result.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => ({ message: "it is not UTF-8" })
  }).pipe(
    Result.filterOrFail(
      (text) => !forbidden.test(text),
      () => ({ message: "it has a character that XML forbids" })
    ),
    Result.map((text) => text.replaceAll(/\r\n?/g, "\n"))
  )

const read = (document: string): Result.Result<Element, Problem> =>
  Result.gen(function* () {
    const tree = new Tree()
    for (let at = 0; at < document.length;) {
      const token = yield* tokenAt(document, at, maxTokenSize)
      at = token.end
      switch (token._tag) {
        case "Start":
          yield* tree.start(token.name)
          if (token.isEmpty) yield* tree.end(token.name)
          break
        case "End":
          yield* tree.end(token.name)
          break
        case "Text":
          yield* tree.text(token.text, token.isRaw)
      }
    }
    return yield* tree.whole
  })

interface Open extends Element {
  text: string
  readonly children: Array<Element>
}

type Taken = Result.Result<void, Problem>

const refuse = (message: string) => Result.fail({ message })

/** The elements read so far. */
class Tree {
  #root: Element | undefined
  readonly #open: Array<Open> = []
  #count = 0

  start(name: string): Taken {
    const parent = this.#open.at(-1)
    if (this.#root !== undefined && parent === undefined) return refuse("it has more than one root")
    if (this.#open.length >= maxDepth) return refuse(`it nests more than ${maxDepth} levels deep`)
    if (++this.#count > maxElements) return refuse(`it has more than ${maxElements} elements`)
    const element: Open = { name, text: "", children: [] }
    parent?.children.push(element)
    this.#open.push(element)
    this.#root ??= element
    return Result.void
  }

  end(name: string): Taken {
    return this.#open.pop()?.name === name
      ? Result.void
      : refuse(`</${name}> does not match its start tag`)
  }

  text(text: string, isRaw: boolean): Taken {
    const element = this.#open.at(-1)
    if (element === undefined) {
      return !isRaw && /^[ \t\n]*$/.test(text)
        ? Result.void
        : refuse("it has text outside of its root")
    }
    return Result.flatMap(isRaw ? Result.succeed(text) : referencesIn(text), (meant) => {
      element.text += meant
      return element.text.length > maxTokenSize
        ? refuse(`a text has more than ${maxTokenSize} characters`)
        : Result.void
    })
  }

  get whole(): Result.Result<Element, Problem> {
    if (this.#root === undefined) return refuse("it is empty")
    const open = this.#open.at(-1)
    return open === undefined ? Result.succeed(this.#root) : refuse(`<${open.name}> has no end`)
  }
}

/** The children with that name. */
export const all = ({ children }: Element, name: string): ReadonlyArray<Element> =>
  children.filter((child) => child.name === name)

/** The texts of the children, by name. Of several with one name, the first counts. */
export const texts = ({ children }: Element): Readonly<Record<string, string>> =>
  Object.fromEntries(children.toReversed().map(({ name, text }) => [name, text]))

/** The body of a Complete request. */
export const completion = (
  parts: ReadonlyArray<{ readonly number: number; readonly etag: string }>
): string => {
  const lines = parts.map(
    ({ number, etag }) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${escaped(etag)}</ETag></Part>\n`
  )
  return `<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUpload>\n${lines.join("")}</CompleteMultipartUpload>`
}

const escaped = (text: string) =>
  text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)
