/** The reader of OSS's answers: what it refuses, what it costs, and that it agrees with Effect's whole parser. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { Xml as Oracle } from "effect/encoding"
import * as Xml from "../../src/internal/client/xml.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)
const parse = (document: string | Uint8Array) =>
  Effect.runSync(
    Effect.result(Xml.parse(typeof document === "string" ? bytesOf(document) : document))
  )

const answer = `<?xml version="1.0" encoding="UTF-8"?>
<ListPartsResult xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com" note='a>b "&lt;"'>
  <Bucket>b &amp; c &#38; &#x4e2d;</Bucket><!-- - none -->
  <Key><![CDATA[a<b>&amp;]]]]>-c</Key>
  <Part><PartNumber>1</PartNumber><ETag>&quot;E&quot;</ETag><Size>5</Size></Part>
  <Empty/><Empty a = "1"  b='2' />
  <?pi some data?>
</ListPartsResult >
`

describe("an answer in XML", () => {
  it("is read as a tree of texts", () => {
    const root = Result.getOrThrow(parse(answer))
    assert.strictEqual(root.name, "ListPartsResult")
    const texts = Xml.texts(root)
    assert.strictEqual(texts["Bucket"], "b & c & 中")
    assert.strictEqual(texts["Key"], "a<b>&amp;]]-c")
    assert.deepStrictEqual(Xml.all(root, "Part").map(Xml.texts), [
      { PartNumber: "1", ETag: '"E"', Size: "5" }
    ])
  })

  const nested = (depth: number): string => (depth === 0 ? "" : `<a>${nested(depth - 1)}</a>`)
  const large = "x".repeat(64 * 1024)

  it.each<[string, string | Uint8Array]>([
    ["is empty", ""],
    ["is text alone", "OK"],
    ["has a DOCTYPE", "<!DOCTYPE a><a/>"],
    ["has an entity of its own", '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'],
    ["has an entity from elsewhere", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///x">]><a>&e;</a>'],
    ["has an entity that nobody knows", "<a>&nbsp;</a>"],
    ["has a reference without its end", "<a>&amp</a>"],
    ["has a reference to half a character", "<a>&#xD800;</a>"],
    ["has a reference to what is no character", "<a>&#0;</a>"],
    ["has a reference beyond all characters", `<a>&#${"9".repeat(400)};</a>`],
    ["has a wrong reference in an attribute", '<a b="&x;"/>'],
    ["has a character that XML forbids", "<a>\u0001</a>"],
    ["is not UTF-8", Uint8Array.of(0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e)],
    ["is UTF-16", Uint8Array.of(0xff, 0xfe, 0x3c, 0, 0x61, 0, 0x2f, 0, 0x3e, 0)],
    ["says that it is in another encoding", '<?xml version="1.0" encoding="gbk"?><a/>'],
    ["nests nine levels deep", nested(9)],
    ["has a text of more than 64 Ki characters", `<a>${large}x</a>`],
    ["has such a text in pieces", `<a>${large}<!-- --><![CDATA[x]]></a>`],
    ["has such a name", `<${large}/>`],
    ["has such an attribute", `<a b="${large}"/>`],
    ["has such a comment", `<a><!--${large}--></a>`],
    ["has such a tag without an end", `<a b="${large}`],
    ["has more than 20,000 elements", `<a>${"<b/>".repeat(20_000)}</a>`],
    ["has two roots", "<a/><b/>"],
    ["has text behind its root", "<a/>b"],
    ["has raw text before its root", "<![CDATA[ ]]><a/>"],
    ["ends what has not begun", "</a>"],
    ["ends in another order", "<a><b></a></b>"],
    ["doesn't end", "<a><b></b>"],
    ["ends in a tag", "<a><b"],
    ["has a name that is none", "<1a/>"],
    ["has a tag with a space at its front", "< a/>"],
    ["has an attribute without a value", "<a b/>"],
    ["has an attribute without quotes", "<a b=c/>"],
    ["has an attribute twice", '<a b="1" b="2"/>'],
    ["has attributes without a space between", "<a b='1'c='2'/>"],
    ["has ]]> in a text", "<a>]]></a>"],
    ["has -- in a comment", "<a><!-- a--b --></a>"],
    ["has its declaration in the middle", '<a/><?xml version="1.0"?>'],
    ["is a page of HTML", "<!doctype html><html><body>Log in<br></body></html>"]
  ])("that %s is refused", (_, document) => {
    const read = parse(document)
    assert.isTrue(Result.isFailure(read))
    if (Result.isFailure(read)) assert.isBelow(read.failure.message.length, 120)
  })

  it("may be as large as the limits say", () => {
    assert.isTrue(Result.isSuccess(parse(nested(8))))
    assert.isTrue(Result.isSuccess(parse(`<a>${large}</a>`)))
    assert.isTrue(Result.isSuccess(parse(`<a>${"<b/>".repeat(19_999)}</a>`)))
  })

  it("has names that inherit nothing", () => {
    const root = Result.getOrThrow(parse("<a><__proto__>x</__proto__><b>y</b></a>"))
    assert.deepStrictEqual(Object.entries(Xml.texts(root)), [
      ["b", "y"],
      ["__proto__", "x"]
    ])
  })

  /** Hostile to readers that go back: each would take minutes if its length counted squared. */
  it.each([
    `<a ${" ".repeat(60_000)}`,
    `<a ${"b ".repeat(30_000)}>`,
    `<a ${"b='' ".repeat(12_000)}`,
    `<a>${"&".repeat(60_000)}</a>`,
    `<a>${"&#".repeat(30_000)}</a>`,
    `<!--${"-".repeat(60_000)}`,
    `<${"a".repeat(60_000)}`,
    `<a>${"<".repeat(60_000)}`,
    `<a>${"<!--".repeat(60_000)}`,
    `<?${"x ?".repeat(20_000)}`
  ])("costs no more the more hostile it is (%#)", (document) => {
    const before = process.cpuUsage()
    parse(document)
    const { user } = process.cpuUsage(before)
    assert.isBelow(user, 1_000_000)
  })
})

/** Each element with the text in it, in the order in which they begin. */
const listOf = ({ name, text, children }: Xml.Element): ReadonlyArray<string> => [
  `${name}=${text}`,
  ...children.flatMap(listOf)
]

/** The same by Effect's parser; undefined for what it refuses. */
const oracle = (document: Uint8Array): ReadonlyArray<string> | undefined => {
  const all: Array<{ readonly name: string; text: string }> = []
  const open: Array<{ text: string }> = []
  const take = (event: Oracle.Event) => {
    if (event._tag === "StartElement") {
      const element = { name: event.name, text: "" }
      all.push(element)
      open.push(element)
    } else if (event._tag === "EndElement") {
      open.pop()
    } else if (event._tag === "Text") {
      open.at(-1)!.text += event.text
    }
  }
  const isTaken = Stream.make(document).pipe(
    Stream.pipeThroughChannel(Oracle.decode()),
    Stream.runForEachArray((events) => Effect.sync(() => events.forEach(take))),
    Effect.match({ onSuccess: () => true, onFailure: () => false }),
    Effect.runSync
  )
  return isTaken ? all.map(({ name, text }) => `${name}=${text}`) : undefined
}

/** Documents that are nearly right: bytes of an answer that were changed, doubled, left out or swapped. */
function* mutants(count: number) {
  let state = 42
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const pieces = [..."<>&;/'\"=!?- ]\r\n\t:#xa1é", "&#13;", "&lt;", "<b>", "</b>", "]]>", "-->"]
  const seeds = [answer, "<a>b</a>", '<a b="c"><d/>e&amp;f</a>', "\u{feff}<a>\r\nb\r</a>"]
  for (let round = 0; round < count; round++) {
    let document = seeds[next(seeds.length)]!
    for (let change = 0; change <= next(3); change++) {
      const at = next(document.length + 1)
      const piece = next(2) === 0 ? pieces[next(pieces.length)]! : ""
      document = document.slice(0, at) + piece + document.slice(at + next(3))
    }
    yield document
  }
}

/** What this reader takes only as OSS writes it: no DOCTYPE, and no encoding but UTF-8. */
const isOnlyOracles = (document: string) => /<!DOCTYPE|encoding="(?!UTF-8")/.test(document)

it("agrees with Effect's parser on documents that are nearly right", () => {
  let taken = 0
  for (const document of mutants(8_000)) {
    if (isOnlyOracles(document)) continue
    const bytes = bytesOf(document)
    const own = Result.getOrUndefined(Result.map(parse(bytes), listOf))
    assert.deepStrictEqual(own, oracle(bytes), JSON.stringify(document))
    if (own !== undefined) taken++
  }
  assert.isAbove(taken, 1_000)
})
