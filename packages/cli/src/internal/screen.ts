/** Lines that stay at the bottom of a terminal, below all that is written: what to write to have it so. */
import * as Render from "@effect-oss/core/Render"
import { displayWidth } from "effect/cli/CliOutput"

export class Screen {
  readonly #columns: () => number
  #pinned: ReadonlyArray<string> = []

  /** `columns` is the terminal's width, whenever it is asked for. */
  constructor(columns: () => number) {
    this.#columns = columns
  }

  /** Takes away what is pinned, so that something can be written in its place; empty if there is nothing. */
  wipe(): string {
    return this.#pinned.length === 0
      ? ""
      : Render.erased(this.#pinned, this.#columns(), displayWidth)
  }

  /** Puts what is pinned below what was written since. */
  draw(): string {
    return this.#pinned.join("\n")
  }

  /** Text that ends with a line's end, above what is pinned. One write, so that nothing flickers. */
  above(text: string): string {
    return `${this.wipe()}${text}${this.draw()}`
  }

  /** Others in place of what is pinned; empty if they are the same. */
  pin(lines: ReadonlyArray<string>): string {
    if (lines.join("\n") === this.draw()) return ""
    const wipe = this.wipe()
    this.#pinned = lines
    return `${wipe}${this.draw()}`
  }
}
