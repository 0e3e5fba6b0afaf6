import type { Patches } from "../mutant.ts"

export const transport: Patches = {
  folder: "packages/node-http/src/internal",
  tests: [
    "packages/node-http/test/NodeOssHttp",
    "packages/node-http/test/pieces",
    "packages/node-http/test/pump"
  ],
  worlds: "none",
  named: {
    "pump.ts": ["packages/node-http/test/pump", "packages/node-http/test/NodeOssHttp"],
    "exchange.ts": ["packages/node-http/test/NodeOssHttp"]
  },
  bugs: [
    [
      "pump.ts",
      "offset += piece.length",
      "offset += way.pieceSize",
      "bytes of the body are skipped"
    ],
    [
      "pump.ts",
      "Math.min(way.pieceSize, size - offset)",
      "way.pieceSize",
      "the last piece is too long"
    ],
    ["pump.ts", "  sent.end()\n", "", "a request is never ended"],
    [
      "pump.ts",
      "countDown(2, () => {",
      "countDown(1, () => {",
      "a buffer is used again while it is still being sent"
    ],
    [
      "exchange.ts",
      "if (!sent.writableEnded) cutOff(sent, incoming)",
      "",
      "a body is sent on after the answer"
    ],
    [
      "exchange.ts",
      "    stale\n      ?",
      "    stale && false\n      ?",
      "a connection that had gone stale fails the request"
    ],
    [
      "exchange.ts",
      "    stale\n      ?",
      "    stale || true\n      ?",
      "a request is sent twice after any failure"
    ],
    [
      "exchange.ts",
      "() => Effect.sync(() => sent.destroy()))",
      "() => Effect.void)",
      "an interrupted request stays on the wire"
    ]
  ]
}
