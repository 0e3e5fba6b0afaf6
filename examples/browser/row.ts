/** One file's row: what it is, how far, and what can be done. */
import type { UploadEvent } from "@effect-oss/core/UploadEvent"
import { offline } from "./uploads.ts"

/** What a button says and does. */
export interface Action {
  readonly label: string
  readonly act: () => void
}

export type State = "waiting" | "running" | "stopped" | "failed" | "done"

const element = <A extends Element>(parent: ParentNode, selector: string): A => {
  const found = parent.querySelector<A>(selector)
  if (found === null) throw new Error(`the page has no ${selector}`)
  return found
}

export class Row {
  readonly item: HTMLLIElement
  readonly #bar: HTMLProgressElement
  readonly #state: HTMLElement
  readonly #pace: HTMLElement
  readonly #buttons: HTMLElement
  readonly #name: string
  #durable: number

  constructor(list: string, name: string, size: number, durable = 0) {
    const template = element<HTMLTemplateElement>(document, "#row").content
    this.item = element<HTMLLIElement>(template, "li").cloneNode(true) as HTMLLIElement
    this.#bar = element(this.item, "progress")
    this.#state = element(this.item, ".state")
    this.#pace = element(this.item, ".pace")
    this.#buttons = element(this.item, ".buttons")
    this.#name = name
    this.#durable = durable
    element(this.item, ".name").textContent = name
    element(this.item, ".size").textContent = bytes(size)
    this.#bar.setAttribute("aria-label", `Progress of ${name}`)
    element(document, list).append(this.item)
  }

  /** A sentence that screen readers say. */
  say(state: State, text: string) {
    this.item.dataset["state"] = state
    if (this.#state.textContent !== text) this.#state.textContent = text
    if (state !== "running") this.#pace.textContent = ""
    // What was on its way is sent again.
    if (state === "stopped" || state === "failed") this.fill(this.#durable)
  }

  /** From 0 to 1. */
  fill(share: number) {
    this.#bar.value = Math.floor(share * 100)
  }

  /** Focus stays in the row: a button that is pressed may be gone then. */
  offer(...actions: ReadonlyArray<Action>) {
    const hadFocus = this.#buttons.contains(document.activeElement)
    this.#buttons.replaceChildren(
      ...actions.map(({ label, act }) => {
        const button = document.createElement("button")
        button.type = "button"
        button.textContent = label
        button.setAttribute("aria-label", `${label}: ${this.#name}`)
        button.addEventListener("click", act)
        return button
      })
    )
    if (hadFocus) this.#buttons.querySelector("button")?.focus()
  }

  show(event: UploadEvent) {
    switch (event._tag) {
      case "Started":
        return this.say("running", "Uploading")
      case "Resumed":
        return this.say("running", `Carrying on: ${bytes(event.bytes)} are there already`)
      case "Restarted":
        return this.say("running", "Starting afresh: the file or its upload has changed")
      case "Waiting":
        return this.say("waiting", offline)
      case "Retrying":
        return navigator.onLine ? undefined : this.say("waiting", offline)
      case "PartUploaded":
        return this.say("running", "Uploading")
      case "Progress": {
        const { sent, durable, total, rate, eta } = event
        if (total) this.fill(sent / total)
        this.#durable = total ? durable / total : 0
        this.#pace.textContent =
          rate > 0 ? `${bytes(rate)}/s${eta === null ? "" : `, ${left(eta)} left`}` : ""
        return
      }
      case "Completing":
        return this.say("running", "Checking")
      case "Completed":
        this.fill(1)
        return this.say("done", event.result.verified ? "Done, and checked" : "Done")
    }
  }
}

const units = ["bytes", "KB", "MB", "GB", "TB"]

const bytes = (count: number): string => {
  const step = count < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(count) / 3))
  const value = count / 1000 ** step
  return `${value.toFixed(step === 0 || value >= 100 ? 0 : 1)} ${units[step]}`
}

const left = (millis: number): string => {
  const seconds = Math.ceil(millis / 1000)
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}
