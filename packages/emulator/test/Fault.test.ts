import { Fault } from "@effect-oss/emulator"
import { assert, it } from "@effect/vitest"
import * as Script from "../src/internal/script.ts"

/** The tags of what happens to each request in turn. */
const run = (faults: ReadonlyArray<Fault.Fault>, requests: ReadonlyArray<Script.Matcher>) => {
  let rest: Script.Script = faults.map((fault) => fault[Script.rule])
  const struck = requests.map((request) => {
    const [actions, next] = Script.next(rest, request)
    rest = next
    return actions.map(({ _tag }) => _tag).join("+")
  })
  return { struck, rest }
}

const part = (partNumber: number): Script.Matcher => ({
  operation: "uploadPart",
  key: "k",
  uploadId: "u",
  partNumber
})

it("a fault strikes once and leaves the script", () => {
  const { struck, rest } = run([Fault.drop({ at: "before" })], [part(1), part(2)])
  assert.deepStrictEqual([struck, rest], [["Drop", ""], []])
})

it("a fault strikes only what it names", () => {
  const script = [
    Fault.drop({ at: "before", operation: "uploadPart", key: "k", partNumber: 2, uploadId: "u" })
  ]
  const others: ReadonlyArray<Script.Matcher> = [
    part(1),
    { ...part(2), key: "other" },
    { ...part(2), uploadId: "other" },
    { ...part(2), operation: "put" }
  ]
  assert.deepStrictEqual(run(script, [...others, part(2)]).struck, ["", "", "", "", "Drop"])
})

it("a fault lets requests pass first, and then strikes as often as asked", () => {
  const script = [Fault.wrongCrc({ skip: 2, times: 2 })]
  assert.deepStrictEqual(run(script, [1, 2, 3, 4, 5].map(part)).struck, [
    "",
    "",
    "WrongCrc",
    "WrongCrc",
    ""
  ])
})

it("a fault without end stays", () => {
  const { struck, rest } = run([Fault.noCrc({ times: Infinity })], [part(1), part(1)])
  assert.deepStrictEqual([struck, rest.length], [["NoCrc", "NoCrc"], 1])
})

it("of two faults the first strikes the first request, the second the next", () => {
  const script = [Fault.drop({ at: "after" }), Fault.damage()]
  assert.deepStrictEqual(run(script, [part(1), part(1), part(1)]).struck, ["Drop", "Damage", ""])
})

it("delays and skews come on top of another fault", () => {
  const script = [
    Fault.delay({ millis: 5 }),
    Fault.stall({ at: { bytes: 1 } }),
    Fault.skew({ millis: 1 })
  ]
  assert.deepStrictEqual(run(script, [part(1), part(1)]).struck, ["Delay+Stall+Skew", ""])
})

it("a fault that is to strike no time at all does nothing", () => {
  assert.deepStrictEqual(run([Fault.damage({ times: 0 })], [part(1)]), { struck: [""], rest: [] })
})
