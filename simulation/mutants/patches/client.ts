import type { Patches } from "../mutant.ts"

export const client: Patches = {
  folder: "packages/core/src/internal/client",
  tests: ["packages/core/test/client"],
  worlds: ["--only", "http"],
  named: {
    "request.ts": ["packages/core/test/client/OssClient.requests"],
    "responses.ts": ["packages/core/test/client/OssClient.responses"],
    "transport.ts": [
      "packages/core/test/client/OssClient.bodies",
      "packages/core/test/client/OssClient.refusals"
    ],
    "xml.ts": ["packages/core/test/client/OssClient.responses"]
  },
  bugs: [
    [
      "transport.ts",
      "response.status < 400 && guarded !== undefined && !guarded.wasRead()",
      "false",
      "an answer before the body was read is an acknowledged part"
    ],
    [
      "transport.ts",
      "Effect.onExit(exchange, () => close)",
      "exchange",
      "a body is read after its request has ended"
    ],
    [
      "transport.ts",
      "Effect.failCause<E | E2>(failure() ?? cause)",
      "Effect.failCause<E | E2>(cause)",
      "a file that can't be read looks like a broken connection"
    ],
    [
      "transport.ts",
      "const limit = status < 400 ? maxPage : maxError",
      "const limit = maxPage * 1_000",
      "a huge answer fills the memory"
    ],
    [
      "transport.ts",
      "return size > limit\n",
      "return false\n",
      "an endless answer is read for ever"
    ],
    [
      "transport.ts",
      "if (!/^[\\t\\x20-\\x7e\\x80-\\xff]*$/.test(wire[name])) return name",
      "",
      "a header with a line break is sent"
    ],
    [
      "transport.ts",
      'Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("")',
      "text",
      "metadata that is not ASCII is damaged"
    ],
    [
      "responses.ts",
      "!isPartBeyond(next, after)",
      "!(next <= maxParts)",
      "a list of parts is followed for ever"
    ],
    [
      "responses.ts",
      "!isPartBeyond(next, after)",
      "!(next > after)",
      "a list of parts goes beyond 10,000"
    ],
    [
      "responses.ts",
      "if (after !== undefined && !isBeyond(next, after)) {",
      "if (false) {",
      "a list of uploads is followed for ever"
    ],
    [
      "responses.ts",
      'const text = EncodingType === "url" ? urlDecoded : Effect.succeed\n      const uploads',
      "const text = Effect.succeed\n      const uploads",
      "keys in lists stay encoded"
    ],
    [
      "responses.ts",
      'IsTruncated === "true" ? Number(NextPartNumberMarker) : undefined',
      "undefined",
      "only the first page of parts is listed"
    ],
    ["responses.ts", 'text.replaceAll("+", "%20")', "text", "a blank in a key is taken for a plus"],
    [
      "responses.ts",
      "headers: { ...response.headers, etag: ETag }",
      "headers: response.headers",
      "Complete without an ETag header fails"
    ],
    [
      "request.ts",
      "query: { partNumber: String(number), uploadId },",
      "query: { partNumber: String(number - 1), uploadId },",
      "part numbers are off by one"
    ],
    [
      "request.ts",
      'after ? { "part-number-marker": String(after), uploadId } : { uploadId }',
      "{ uploadId }",
      "each page of parts is the first"
    ],
    [
      "request.ts",
      '...(after?.uploadId ? { "upload-id-marker": after.uploadId } : {}),',
      "",
      "each page of one key's uploads is the first"
    ],
    [
      "request.ts",
      '"encoding-type": "url",\n      // Signatures',
      "// Signatures",
      "keys that XML can't express break lists"
    ],
    ["request.ts", 'encodeURIComponent(key).replaceAll("%2F", "/")', "key", "keys are not encoded"],
    [
      "request.ts",
      '{ "content-type": guess, ...headers }',
      '{ ...headers, "content-type": guess }',
      "a content type of one's own is replaced"
    ],
    [
      "xml.ts",
      "#${character.charCodeAt(0)};",
      "#${character.charCodeAt(0)}",
      "an ETag with a character of XML breaks Complete"
    ],
    ["xml.ts", "const maxDepth = 8", "const maxDepth = 8_000_000", "nested XML fills the stack"],
    [
      "xml.ts",
      "if (++this.#count > maxElements)",
      "if (++this.#count > Infinity)",
      "XML with too many elements fills the memory"
    ],
    ["xml.ts", "element.text += meant", "element.text = meant", "long text in XML loses its start"]
  ]
}
