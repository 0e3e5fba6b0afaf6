import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { manual } from "../../src/internal/manual.ts"
import { runHere } from "../support.ts"

it.live(
  "the manual has all that help says, and nothing of it is taken for man's own language",
  () =>
    Effect.gen(function* () {
      const overview = (yield* runHere(["--help"])).out
      const help = (yield* runHere(["upload", "--help"])).out
      const page = manual({ version: "1.2.3", overview, commands: [{ name: "upload", help }] })
      const lines = page.split("\n")
      assert.strictEqual(lines[0], '.TH EFFECT-OSS 1 "" "effect-oss 1.2.3" "User Commands"')
      const shown = lines
        .filter((line) => !line.startsWith("."))
        .join("\n")
        .replaceAll("\\-", "-")
        .replaceAll("\\[u2026]", "…")
        .replaceAll("\\[u2026]", "…")
      for (const line of help.split("\n").filter((line) => line.startsWith("  "))) {
        assert.include(shown, line.trim().replaceAll("\\", "\\e"))
      }
      const requests = lines.filter((line) => line.startsWith("."))
      assert.isTrue(requests.every((line) => /^\.(TH|SH|SS|nf|fi)\b/.test(line)))
    })
)

it("a line that begins with a dot stays a line", () => {
  const page = manual({ version: "1", overview: "TITLE\n  .SH\n  'x \\n", commands: [] })
  assert.include(page, "\\&.SH\n\\&'x \\en\n")
})
