/**
 * The WebAssembly modules and their memories. A memory has the module's tables
 * in its first page and bytes of the caller behind it. It never grows, since
 * growing would detach the views on it; where more is needed another one is
 * made, with an instance of its own.
 */
import type { Engine } from "./engine.ts"
import * as Pool from "./pool.ts"

/** What a module exports. Addresses and sizes are in bytes. */
interface Kernel {
  /** From one state to the next. */
  readonly update: (state: bigint, at: number, size: number) => bigint
  /** The same in pieces: `begin`, `absorb` any number of times, `end`; nothing else in between. */
  readonly begin: (state: bigint) => void
  /** A multiple of 128 bytes. */
  readonly absorb: (at: number, size: number) => void
  /** At least 11,264 bytes: what the sparse multiple leaves. */
  readonly end: (at: number, size: number) => bigint
}

interface Memory {
  readonly buffer: ArrayBuffer
}

/** The part of the API that is used here: neither ES2024's types nor Node's have it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Memory: new (pages: { readonly initial: number; readonly maximum: number }) => Memory
  readonly Instance: new (
    module: object,
    imports: { readonly memory: { readonly memory: Memory } }
  ) => { readonly exports: Kernel }
}

/** WebAssembly's unit of memory, in bytes. */
const pageSize = 64 * 1024

/** The first page is the module's. */
const reserved = pageSize

/** What is taken at once of bytes that have to be copied in, in bytes. It stays in the processor's cache. */
const pieceSize = 32 * 1024

/** A memory with its instance. */
interface Area {
  readonly kernel: Kernel
  /** The caller's part of the memory. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** An engine out of a module's bytes. Throws what a machine throws that doesn't take it. */
export const make = (bytes: Uint8Array): Engine => {
  const module = new WebAssembly.Module(bytes)
  const kernels = new WeakMap<ArrayBufferLike, Kernel>()
  const copied = copying(makeArea(module, 2 * pieceSize))
  const allocate = (size: number) => {
    const { kernel, bytes } = makeArea(module, size)
    kernels.set(bytes.buffer, kernel)
    return bytes
  }
  return {
    acquire: Pool.make(allocate),
    update: (state, bytes) => {
      const kernel = kernels.get(bytes.buffer)
      return kernel === undefined || bytes.byteOffset < reserved
        ? copied(state, bytes)
        : kernel.update(state, bytes.byteOffset, bytes.length)
    }
  }
}

/** A multiple of the page size, in bytes. */
const makeArea = (module: object, size: number): Area => {
  const pages = (reserved + size) / pageSize
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const { exports } = new WebAssembly.Instance(module, { memory: { memory } })
  return { kernel: exports, bytes: new Uint8Array(memory.buffer, reserved) }
}

/** Computes with bytes that lie elsewhere. Without a pause, so one area is enough for all. */
const copying =
  ({ kernel, bytes: copy }: Area): Engine["update"] =>
  (state, bytes) => {
    if (bytes.length <= copy.length) {
      copy.set(bytes)
      return kernel.update(state, reserved, bytes.length)
    }
    kernel.begin(state)
    let at = 0
    for (; bytes.length - at > copy.length; at += pieceSize) {
      copy.set(bytes.subarray(at, at + pieceSize))
      kernel.absorb(reserved, pieceSize)
    }
    copy.set(bytes.subarray(at))
    return kernel.end(reserved, bytes.length - at)
  }
