/**
 * The XML of OSS's protocol. Effect's decoder reads it: it expands no entity
 * and reads nothing from elsewhere. The limits here keep a hostile answer from
 * costing more memory than an honest one.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Xml from "effect/encoding/Xml"
import * as Stream from "effect/Stream"

/** An element: the text in it and the elements in it. */
export interface Element {
  readonly name: string
  readonly text: string
  readonly children: ReadonlyArray<Element>
}

/** OSS's answers nest four levels deep. */
const maxDepth = 8

/** Characters of one tag or one text: a key has up to 1,023 bytes, each up to three characters. */
const maxTokenSize = 64 * 1024

/** A page of 1,000 uploads has some 7,000. */
const maxElements = 20_000

/** In bytes; the decoder makes the events of one piece at once. */
const pieceSize = 16 * 1024

/** The document's root element; fails with what is wrong with it. */
export const parse = (bytes: Uint8Array): Effect.Effect<Element, { readonly message: string }> =>
  Effect.suspend(() => {
    const tree = new Tree()
    return Stream.fromIterable(piecesOf(bytes)).pipe(
      Stream.pipeThroughChannel(Xml.decode({ maxDepth, maxTokenSize })),
      Stream.runForEachArray((events) => tree.add(events)),
      Effect.flatMap(() =>
        tree.root === undefined
          ? Effect.fail({ message: "it is empty" })
          : Effect.succeed(tree.root)
      )
    )
  })

function* piecesOf(bytes: Uint8Array) {
  for (let start = 0; start < bytes.length; start += pieceSize) {
    yield bytes.subarray(start, start + pieceSize)
  }
}

interface Open extends Element {
  text: string
  readonly children: Array<Element>
}

class Tree {
  root: Element | undefined
  readonly #open: Array<Open> = []
  #count = 0

  add(events: ReadonlyArray<Xml.Event>): Effect.Effect<void, { readonly message: string }> {
    for (const event of events) this.#take(event)
    return this.#count > maxElements
      ? Effect.fail({ message: `it has more than ${maxElements} elements` })
      : Effect.void
  }

  #take(event: Xml.Event): void {
    switch (event._tag) {
      case "StartElement": {
        const element = { name: event.name, text: "", children: [] }
        this.#open.at(-1)?.children.push(element)
        this.#open.push(element)
        this.root ??= element
        this.#count++
        return
      }
      case "Text": {
        const element = this.#open.at(-1)
        if (element !== undefined) element.text += event.text
        return
      }
      case "EndElement":
        this.#open.pop()
    }
  }
}

/** The elements of that name in an element. */
export const all = ({ children }: Element, name: string): ReadonlyArray<Element> =>
  children.filter((child) => child.name === name)

/** The texts in an element, by name; of several with one name the first. */
export const texts = ({ children }: Element): Readonly<Record<string, string>> =>
  Object.fromEntries(children.toReversed().map(({ name, text }) => [name, text]))

/** The body of Complete. */
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
