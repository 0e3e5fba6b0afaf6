/**
 * Splits an XML document into tokens: tags, texts, and comments and instructions,
 * which are skipped. Pure. Each expression matches one bounded token in linear
 * time.
 *
 * @internal
 */
import * as Result from "effect/Result"

/** Why a document is refused. */
export interface Problem {
  readonly message: string
}

/** A token. `end` is the position after it. */
export type Token = { readonly end: number } & (
  | { readonly _tag: "Start"; readonly name: string; readonly isEmpty: boolean }
  | { readonly _tag: "End"; readonly name: string }
  | {
      readonly _tag: "Text"
      readonly text: string
      /** True for a CDATA section, which has no references. */
      readonly isRaw: boolean
    }
  | { readonly _tag: "Passed" }
)

const nameStart =
  ":A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}-\\u{200D}\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}\\u{10000}-\\u{EFFFF}"
const name = `[${nameStart}][${nameStart}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}-\\u{2040}]*`
const space = "[ \\t\\n]"
const attribute = `${space}+(${name})${space}*=${space}*("[^<"]*"|'[^<']*')`

const start = new RegExp(`^<(${name})((?:${attribute})*)${space}*(/?)>$`, "u")
const end = new RegExp(`^</(${name})${space}*>$`, "u")
const attributes = new RegExp(attribute, "gu")
const instruction = new RegExp(`^<\\?(?!xml[ \\t\\n?])${name}(?:${space}[^]*)?\\?>$`, "iu")
const declaration =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.\d+"|'1\.\d+')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(?:"utf-8"|'utf-8'))?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>$/i

const fail = (message: string) => Result.fail({ message })

/** The token at `at`, with at most `maxSize` characters. Lines end in `\n`. */
export const tokenAt = (
  document: string,
  at: number,
  maxSize: number
): Result.Result<Token, Problem> => {
  const ahead = document.slice(at, at + maxSize + 1)
  const size = sizeOf(ahead)
  if (size > maxSize) return fail(`a tag or a text has more than ${maxSize} characters`)
  if (size < 0) {
    return fail(
      ahead.length > maxSize
        ? `a tag or a text has more than ${maxSize} characters`
        : "it ends within a tag"
    )
  }
  return read(ahead.slice(0, size), at)
}

/** The size of the first token, in characters. Negative if the token doesn't end. */
const sizeOf = (ahead: string): number => {
  if (!ahead.startsWith("<")) return ahead.includes("<") ? ahead.indexOf("<") : ahead.length
  if (ahead.startsWith("<!--")) return behind(ahead, "-->", 4)
  if (ahead.startsWith("<![CDATA[")) return behind(ahead, "]]>", 9)
  if (ahead.startsWith("<?")) return behind(ahead, "?>", 2)
  return /^<(?:[^<>"']|"[^<"]*"|'[^<']*')*>/.exec(ahead)?.[0].length ?? -1
}

const behind = (ahead: string, mark: string, from: number): number => {
  const at = ahead.indexOf(mark, from)
  return at < 0 ? at : at + mark.length
}

const read = (token: string, at: number): Result.Result<Token, Problem> => {
  const passed = Result.succeed<Token>({ _tag: "Passed", end: at + token.length })
  if (!token.startsWith("<")) {
    return token.includes("]]>")
      ? fail("it has ]]> in a text")
      : Result.succeed({ _tag: "Text", text: token, isRaw: false, end: at + token.length })
  }
  if (token.startsWith("<![CDATA[")) {
    const text = token.slice(9, -3)
    return Result.succeed({ _tag: "Text", text, isRaw: true, end: at + token.length })
  }
  if (token.startsWith("<!--")) {
    return token.indexOf("--", 4) === token.length - 3 ? passed : fail("it has -- in a comment")
  }
  if (token.startsWith("<?")) {
    const isDeclaration = at === 0 && declaration.test(token)
    return isDeclaration || instruction.test(token) ? passed : fail("it has a malformed <? … ?>")
  }
  return readTag(token, at)
}

const readTag = (token: string, at: number): Result.Result<Token, Problem> => {
  const [, endName] = end.exec(token) ?? []
  if (endName !== undefined) {
    return Result.succeed({ _tag: "End", name: endName, end: at + token.length })
  }
  const [, startName, rest = "", , , slash] = start.exec(token) ?? []
  if (startName === undefined) return fail("it has a malformed tag")
  return Result.map(attributesIn(rest), () => ({
    _tag: "Start",
    name: startName,
    isEmpty: slash === "/",
    end: at + token.length
  }))
}

/** Checks attributes and drops them: OSS uses none. */
const attributesIn = (text: string): Result.Result<void, Problem> =>
  Result.gen(function* () {
    const names = new Set<string>()
    for (const [, name = "", value = ""] of text.matchAll(attributes)) {
      if (names.has(name)) return yield* fail(`it has the attribute ${name} twice in one tag`)
      names.add(name)
      yield* referencesIn(value)
    }
  })

const reference = /&(?:(amp|lt|gt|apos|quot)|#([0-9]+)|#x([0-9a-fA-F]+));/g
const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  apos: "'",
  quot: '"'
}

/** Replaces references to characters and to XML's five predefined entities. */
export const referencesIn = (text: string): Result.Result<string, Problem> => {
  if (!text.includes("&")) return Result.succeed(text)
  let isWrong = text.replaceAll(reference, "").includes("&")
  const replaced = text.replaceAll(reference, (_, entity, decimal, hex) => {
    if (entity !== undefined) return entities[entity] ?? ""
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    if (isCharacter(code)) return String.fromCodePoint(code)
    isWrong = true
    return ""
  })
  return isWrong ? fail("it has an invalid reference") : Result.succeed(replaced)
}

const isCharacter = (code: number): boolean =>
  code === 9 ||
  code === 10 ||
  code === 13 ||
  (code >= 0x20 && code <= 0xd7ff) ||
  (code >= 0xe000 && code <= 0xfffd) ||
  (code >= 0x1_0000 && code <= 0x10_ffff)
