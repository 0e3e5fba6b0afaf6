/**
 * The WebAssembly modules and their memories. The first page of a memory has
 * the module's tables; the rest has bytes of the caller. A memory never grows,
 * because growing would detach its views. If more is needed, another memory is
 * created with its own instance.
 */
import type { Engine } from "./engine.ts"
import * as Pool from "./pool.ts"

/** The exports of a module. Addresses and sizes are in bytes. */
interface Kernel {
  /** Returns the next state. */
  readonly update: (state: bigint, at: number, size: number) => bigint
  /** The same in pieces: `begin`, `absorb` any number of times, `end`, with no other call in between. */
  readonly begin: (state: bigint) => void
  /** A multiple of 128 bytes. */
  readonly absorb: (at: number, size: number) => void
  /** At least 11,264 bytes, the rest that the sparse multiple leaves. */
  readonly end: (at: number, size: number) => bigint
}

interface Memory {
  readonly buffer: ArrayBuffer
}

/** The part of the API that is used here. Neither the types of ES2024 nor those of Node have it. */
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

/** The first page belongs to the module. */
const reserved = pageSize

/** The size of the pieces in which bytes are copied in, in bytes. A piece stays in the processor's cache. */
const pieceSize = 32 * 1024

/** A memory with its instance. */
interface Area {
  readonly kernel: Kernel
  /** The caller's part of the memory. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** Makes an engine from a module's bytes. Throws if the machine can't run the module. */
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

/** `size` is a multiple of the page size, in bytes. */
const makeArea = (module: object, size: number): Area => {
  const pages = (reserved + size) / pageSize
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const { exports } = new WebAssembly.Instance(module, { memory: { memory } })
  return { kernel: exports, bytes: new Uint8Array(memory.buffer, reserved) }
}

/** Computes over bytes outside of the memory. It never pauses, so one area is enough for all. */
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
