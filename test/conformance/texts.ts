/** What `{name}` stands for, and whether an answer is as a case says. */
import { assert } from "@effect/vitest"
import type { Answer, Step } from "./Case.ts"

export type Names = Record<string, string>

export const filled = (text: string, names: Names): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => names[name] ?? whole)

const quoted = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)

const pattern = ({ source, flags }: RegExp, names: Names) =>
  new RegExp(
    source.replaceAll(/\{(\w+)\}/g, (whole, name: string) =>
      names[name] === undefined ? whole : quoted(names[name])
    ),
    flags
  )

export interface Observed {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/** The XML of an answer; of HEAD it is in a header. */
const xmlOf = ({ headers, body }: Observed) =>
  body === "" ? Buffer.from(headers["x-oss-err"] ?? "", "base64").toString() : body

/** The content of the first element of that name, as it stands in the document. */
export const elementOf = (xml: string, name: string): string | undefined =>
  new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(xml)?.[1] ??
  (new RegExp(`<${name}/>`).test(xml) ? "" : undefined)

const unescape = (text: string) =>
  text
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")

export const savedOf = (step: Step, observed: Observed): Names =>
  Object.fromEntries(
    Object.entries(step.save ?? {}).map(([name, from]) => {
      const [kind, what = ""] = from.split(":")
      const value =
        kind === "xml" ? elementOf(observed.body, what) : observed.headers[what.toLowerCase()]
      assert.isDefined(value, `an earlier answer has ${from}: ${observed.body}`)
      return [name, unescape(value ?? "")]
    })
  )

const compare = (
  what: string,
  actual: string | undefined,
  expected: string | RegExp | null,
  names: Names
) => {
  if (expected === null) assert.isUndefined(actual, what)
  else if (typeof expected === "string") assert.strictEqual(actual, filled(expected, names), what)
  else assert.match(actual ?? "", pattern(expected, names), what)
}

export const check = (observed: Observed, answer: Answer, names: Names): void => {
  const xml = xmlOf(observed)
  assert.strictEqual(observed.status, answer.status, `the status, of ${xml}`)
  if (answer.code !== undefined) compare("the code", elementOf(xml, "Code"), answer.code, names)
  if (answer.ec !== undefined) compare("the EC", elementOf(xml, "EC"), answer.ec, names)
  for (const [name, expected] of Object.entries(answer.headers ?? {})) {
    compare(`the header ${name}`, observed.headers[name], expected, names)
  }
  for (const [name, expected] of Object.entries(answer.xml ?? {})) {
    const found = elementOf(xml, name)
    const text = found === undefined || found.includes("<") ? found : unescape(found)
    compare(`the element ${name}`, text, expected, names)
  }
  if (answer.body !== undefined) compare("the body", observed.body, answer.body, names)
}
