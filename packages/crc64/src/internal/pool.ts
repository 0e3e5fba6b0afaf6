/**
 * Hands out pieces of large areas of memory, whole pages each, first fit. An
 * area that nobody holds a piece of is given up, but for one.
 */
import type { Block } from "../Block.ts"

/** The unit of what is handed out, in bytes. */
const pageSize = 64 * 1024

/** Of an area, unless a single piece is larger. Memory that isn't touched costs address space only. */
const areaPages = 256

/** Up to here, in pages, WebAssembly's 32-bit addresses surely reach: 1 GiB. */
const maxPages = 16 * 1024

interface Area {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** For each page 1 if it is held, else 0. */
  readonly held: Uint8Array
}

/** Takes pieces out of areas that `allocate` makes, of so many bytes; out of ordinary memory where it throws. */
export const make = (
  allocate: (size: number) => Uint8Array<ArrayBuffer>
): ((size: number) => Block) => {
  const areas = new Set<Area>()
  const addArea = (pages: number): Area => {
    const area = { bytes: allocate(pages * pageSize), held: new Uint8Array(pages) }
    areas.add(area)
    return area
  }
  return (size) => {
    const pages = Math.max(1, Math.ceil(size / pageSize))
    if (pages > maxPages) return ordinary(size)
    for (const area of areas) {
      const first = findFree(area.held, pages)
      if (first !== undefined) return take(areas, area, first, pages, size)
    }
    try {
      return take(areas, addArea(Math.max(pages, areaPages)), 0, pages, size)
    } catch {
      return ordinary(size)
    }
  }
}

/** Memory like any other: it has to be copied. */
export const ordinary = (size: number): Block => ({
  bytes: new Uint8Array(size),
  release: () => {}
})

/** The first page of so many in a row that nobody holds. */
const findFree = (held: Uint8Array, pages: number): number | undefined => {
  let free = 0
  for (let page = 0; page < held.length; page++) {
    free = held[page] === 0 ? free + 1 : 0
    if (free === pages) return page - pages + 1
  }
  return undefined
}

const take = (areas: Set<Area>, area: Area, first: number, pages: number, size: number): Block => {
  area.held.fill(1, first, first + pages)
  let holding = true
  return {
    bytes: area.bytes.subarray(first * pageSize, first * pageSize + size),
    release: () => {
      if (!holding) return
      holding = false
      area.held.fill(0, first, first + pages)
      if (isFree(area) && !isSpare(areas, area)) areas.delete(area)
    }
  }
}

const isFree = (area: Area): boolean => !area.held.includes(1)

/** Whether a free area is worth keeping: the usual size, and the only free one. */
const isSpare = (areas: Set<Area>, area: Area): boolean =>
  area.held.length === areaPages &&
  Array.from(areas).every((other) => other === area || !isFree(other))
