/** The page: what people drop, press and read. */
import * as Files from "./files.ts"
import { Row } from "./row.ts"
import * as Uploads from "./uploads.ts"

const get = <A extends HTMLElement>(id: string) => document.getElementById(id) as A
const notice = get("notice")
const running = new Map<string, Row>()

/** A row for a file, until it is done or given up. */
const start = (chosen: Uploads.Chosen) => {
  // The same file twice is one upload.
  if (running.has(chosen.name)) return
  get("empty").hidden = true
  const row = new Row("#uploads", chosen.name, chosen.file.size)
  running.set(chosen.name, row)
  carryOn(row, chosen)
}

const carryOn = (row: Row, chosen: Uploads.Chosen) => {
  const stop = new AbortController()
  row.say("waiting", "Waiting for its turn")
  row.offer({ label: "Pause", act: () => stop.abort() }, giveUpOf(row, chosen, stop))
  void Uploads.upload(
    chosen,
    stop.signal,
    (event) => row.show(event),
    (message) => row.say("waiting", message)
  ).then((end) => {
    if (!running.has(chosen.name)) return
    if (end._tag === "Done") {
      running.delete(chosen.name)
      row.offer()
      return
    }
    if (end._tag === "Failed") row.say("failed", end.message)
    else row.say("stopped", "Paused")
    row.offer({ label: "Carry on", act: () => carryOn(row, chosen) }, giveUpOf(row, chosen, stop))
  })
}

const giveUpOf = (row: Row, { name }: Uploads.Chosen, stop: AbortController) => ({
  label: "Give up",
  act: () => {
    running.delete(name)
    stop.abort()
    void forget(row, name)
  }
})

const forget = async (row: Row, name: string) => {
  row.offer()
  row.say("stopped", "Giving up")
  const end = await Uploads.giveUp(name)
  if (end._tag === "Failed") {
    row.say("failed", end.message)
    row.offer({ label: "Give up", act: () => void forget(row, name) })
  } else {
    row.item.remove()
    hideEmpty()
  }
}

const hideEmpty = () => {
  get("pending-section").hidden = get("pending").childElementCount === 0
  get("empty").hidden = get("uploads").childElementCount > 0
}

let choice = new AbortController()

/** Whatever was asked for before, and not chosen, is no longer waited for. */
const newChoice = () => {
  choice.abort()
  choice = new AbortController()
  return choice.signal
}

/** A row of the last visit: one click carries on where the browser has kept the file. */
const showPending = (pending: Uploads.Pending) => {
  const row = new Row(
    "#pending",
    pending.name,
    pending.size,
    pending.durable / Math.max(1, pending.size)
  )
  row.say(
    "stopped",
    pending.hasHandle ? "Not finished" : "Not finished: choose the file to carry on"
  )
  const begin = async (chosen: Uploads.Chosen) => {
    const end = await Uploads.check(pending, chosen)
    if (end._tag === "Failed") return row.say("failed", end.message)
    row.item.remove()
    hideEmpty()
    start(chosen)
  }
  const choose = () => {
    const input = get<HTMLInputElement>("again")
    input.addEventListener(
      "change",
      () => {
        const [chosen] = Files.chosen(input)
        if (chosen !== undefined) void begin(inFolderOf(pending.name, chosen))
      },
      { signal: newChoice() }
    )
    input.click()
  }
  const find = async () => {
    const file = await Uploads.findFile(pending)
    if (file !== undefined) return begin({ file, name: pending.name })
    row.say("failed", "The browser can't open the file any more: choose it to carry on")
    row.offer({ label: "Choose file", act: choose }, giveUp)
  }
  const giveUp = { label: "Give up", act: () => void forget(row, pending.name) }
  row.offer(
    pending.hasHandle
      ? { label: "Carry on", act: () => void find() }
      : { label: "Choose file", act: choose },
    giveUp
  )
}

/** A file that is chosen alone has no folder: it is that of the upload, if the name is the same. */
const inFolderOf = (name: string, chosen: Uploads.Chosen): Uploads.Chosen =>
  name.endsWith(`/${chosen.name}`) ? { ...chosen, name } : chosen

const startAll = (all: ReadonlyArray<Uploads.Chosen>) => {
  for (const one of all) start(one)
}

const fail = (thrown: unknown) => {
  notice.textContent = thrown instanceof Error ? thrown.message : String(thrown)
}

const listen = () => {
  for (const id of ["files", "folder"]) {
    const input = get<HTMLInputElement>(id)
    input.addEventListener("change", () => startAll(Files.chosen(input)))
  }
  get("choose").addEventListener("click", () => {
    const picked = Files.picked()
    if (picked === undefined) get("files").click()
    else picked.then(startAll, fail)
  })
  get("choose-folder").addEventListener("click", () => get("folder").click())
  const drop = get("drop")
  document.addEventListener("dragover", (event) => {
    event.preventDefault()
    drop.classList.add("over")
  })
  document.addEventListener("dragleave", () => drop.classList.remove("over"))
  document.addEventListener("drop", (event) => {
    event.preventDefault()
    drop.classList.remove("over")
    if (event.dataTransfer !== null) Files.dropped(event.dataTransfer).then(startAll, fail)
  })
}

listen()
Uploads.pending().then((all) => {
  all.forEach(showPending)
  hideEmpty()
  document.body.dataset["ready"] = "true"
}, fail)
