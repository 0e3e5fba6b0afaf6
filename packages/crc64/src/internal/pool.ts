/**
 * Hands out pieces of large memory areas, in whole pages, first fit. It frees
 * an area without held pieces, and keeps one such area as a spare.
 */
import type { Block } from "../Block.ts"

/** The allocation unit, in bytes. */
const pageSize = 64 * 1024

/** The pages of an area, unless a single piece is larger. Untouched memory costs address space only. */
const areaPages = 256

/** The maximum size of a piece, in pages: 1 GiB, which 32-bit addresses of WebAssembly surely reach. */
const maxPages = 16 * 1024

interface Area {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** One entry a page: 1 if it is held, otherwise 0. */
  readonly held: Uint8Array
}

/** Takes pieces from areas that `allocate` makes in the given size, or from ordinary memory if it throws. */
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

/** Ordinary memory, which has to be copied. */
export const ordinary = (size: number): Block => ({
  bytes: new Uint8Array(size),
  release: () => {}
})

/** The first page of this many free pages in a row. */
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

/** True if a free area is worth keeping: it has the usual size, and is the only free one. */
const isSpare = (areas: Set<Area>, area: Area): boolean =>
  area.held.length === areaPages &&
  Array.from(areas).every((other) => other === area || !isFree(other))
