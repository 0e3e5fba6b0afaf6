/** Files and folders that are dropped or chosen, with handles where the browser has them. */
import type { Chosen } from "./uploads.ts"

/** TypeScript's DOM library leaves out what only Chromium has. */
interface WithHandle extends DataTransferItem {
  readonly getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>
}

declare global {
  interface Window {
    readonly showOpenFilePicker?: (options: {
      readonly multiple: boolean
    }) => Promise<ReadonlyArray<FileSystemFileHandle>>
  }
  interface FileSystemDirectoryHandle {
    values(): AsyncIterable<FileSystemFileHandle | FileSystemDirectoryHandle>
  }
}

/** All files that were dropped. Has to be called before the event is over. */
export const dropped = (transfer: DataTransfer): Promise<ReadonlyArray<Chosen>> =>
  Promise.all(
    Array.from(transfer.items, (item: WithHandle) => {
      if (item.kind !== "file") return []
      if (item.getAsFileSystemHandle !== undefined) {
        return item.getAsFileSystemHandle().then((handle) => (handle ? below(handle, "") : []))
      }
      const entry = item.webkitGetAsEntry()
      return entry === null ? [] : within(entry)
    })
  ).then((all) => all.flat())

const below = async (handle: FileSystemHandle, folder: string): Promise<Array<Chosen>> => {
  const name = `${folder}${handle.name}`
  if (handle instanceof FileSystemFileHandle) {
    return [{ file: await handle.getFile(), name, handle }]
  }
  const found: Array<Chosen> = []
  for await (const child of (handle as FileSystemDirectoryHandle).values()) {
    found.push(...(await below(child, `${name}/`)))
  }
  return found
}

/** The same in browsers without handles. */
const within = async (entry: FileSystemEntry): Promise<Array<Chosen>> => {
  const name = entry.fullPath.replace(/^\//, "")
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject)
    )
    return [{ file, name }]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: Array<Chosen> = []
  // Gives a hundred at a time, and none at the end.
  for (;;) {
    const some = await new Promise<Array<FileSystemEntry>>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    )
    if (some.length === 0) return found
    for (const child of some) found.push(...(await within(child)))
  }
}

/** Asks for files in a way that gives handles; undefined where the browser has none. */
export const picked = (): Promise<ReadonlyArray<Chosen>> | undefined =>
  window
    .showOpenFilePicker?.({ multiple: true })
    .then((handles) =>
      Promise.all(
        handles.map((handle) =>
          handle.getFile().then((file) => ({ file, name: file.name, handle }))
        )
      )
    )
    .catch(() => [])

/** What was chosen by an `<input>`, which is emptied, so that the same can be chosen again. */
export const chosen = (input: HTMLInputElement): ReadonlyArray<Chosen> => {
  const all = Array.from(input.files ?? [], (file) => ({
    file,
    name: file.webkitRelativePath || file.name
  }))
  input.value = ""
  return all
}
