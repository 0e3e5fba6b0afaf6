/**
 * Conditions: what is unusual about the surroundings of a world, besides the
 * faults that any world has. Each world draws its conditions from a random
 * sequence of their own, so that a new one changes no other.
 */
import * as Random from "../../kernel/random.ts"

/**
 * A world has the condition with this probability, and has it by default only
 * if the library holds its promises under it. The README lists the others under
 * "Not yet held".
 */
interface Rule {
  readonly share: number
  readonly held: boolean
}

export const rules = {
  /** The endpoint tells no CRC64. */
  noCrc64: { share: 0.05, held: true },
  /** HEAD answers with another size, or 404, although the object is there. */
  contradictingHeads: { share: 0.05, held: true },
  /** Another program makes uploads of the same keys. */
  otherPrograms: { share: 0.05, held: true },
  /** Two stores on the same keys. */
  otherStores: { share: 0.05, held: true },
  /** A journal in the store names an upload of another program. */
  forgedCheckpoints: { share: 0.03, held: true },
  /** The pages of a list repeat their marker. */
  endlessLists: { share: 0.05, held: true },
  /** A worker thread dies, and its process lives on. */
  threadsDieAlone: { share: 0.05, held: true },
  /** The file system tells a wrong size of a file. */
  lyingSizes: { share: 0.05, held: true },
  /** The store holds hundreds of checkpoints of other uploads. */
  manyCheckpoints: { share: 0.02, held: true },
  /** The network is away, for up to five minutes. */
  outages: { share: 0.1, held: true },
  /** A slow line behind a buffer that takes each body at once. */
  slowLines: { share: 0.05, held: true },
  /** A proxy or a captive portal answers in HTML. */
  middleboxes: { share: 0.1, held: true },
  /** The source is a stream that yields its content once. */
  oneShotSources: { share: 0.05, held: true },
  /** The library's own client over HTTP, and what happens only there. */
  http: { share: 0.15, held: true }
} as const satisfies Record<string, Rule>

export type Condition = keyof typeof rules

export const all = Object.keys(rules) as ReadonlyArray<Condition>

export const isCondition = (name: string): name is Condition => name in rules

/** Which conditions a world may have. */
export interface Choice {
  /** Also these, which are off by default. */
  readonly also?: ReadonlyArray<Condition>
  /** Each world has these and no others. */
  readonly only?: ReadonlyArray<Condition>
  /** Nothing fails but for the conditions: no process dies, and no disk, clock or server is broken. */
  readonly quiet?: boolean
}

export const draw = (seed: number, { also = [], only }: Choice): ReadonlySet<Condition> => {
  if (only !== undefined) return new Set(only)
  const random = Random.make(seed ^ 0x2c1b3c6d)
  return new Set(
    all.filter((name) => {
      const { share, held } = rules[name]
      return random.chance(share) && (held || also.includes(name))
    })
  )
}
