/**
 * The WebAssembly modules of this package, as text. `build.ts` assembles them;
 * `src/internal/wasm.ts` holds the result, and a test compares the two.
 *
 * CRC-64/XZ is bit-reflected: the least significant bit of the first byte is
 * the highest power of x. A loaded little-endian 64-bit word, XORed into the
 * state, is therefore eight bytes of input, and a state is shifted to the right.
 *
 * All functions take and give the bare state: the ones' complements before and
 * after are the caller's.
 */

/** The polynomial of ECMA-182, reflected. */
const polynomial = "0xc96c5795d7870f42"

/**
 * The sum of x^(64 · e) over these is divisible by the polynomial. So a word
 * can be taken out of the message by XORing it into the seven words that are
 * 1403 − e further on, e ≠ 1403: that leaves the CRC as it was.
 */
export const multiple: ReadonlyArray<number> = [0, 153, 509, 1008, 1162, 1251, 1286, 1403]

const degree = Math.max(...multiple)

/** How far back the words are that are XORed into a word, in words. */
const distances = multiple.filter((e) => e < degree).map((e) => degree - e)

/** What one turn of the sparse multiple takes, in bytes: eight vectors. */
const turn = 128
const vectors = Array.from({ length: turn / 16 }, (_, index) => 16 * index)

/** The words that the sparse multiple leaves, in whole turns, in bytes. */
const tail = Math.ceil((degree * 8) / turn) * turn

/** Below this, in bytes, the braid alone is faster. Measured: they meet at 16 to 17 KiB. */
const sparseFrom = 18 * 1024

/** The words that the braid takes side by side. */
const strands = [0, 1, 2, 3, 4]
const braid = 8 * strands.length

/** Entries of a table, and its size in bytes. */
const tableSize = 256 * 8

// Where things are in memory, in bytes. All fit into the first page; what comes after is the caller's.

/** What a byte makes of an empty state. */
const byteTable = 0
/** For byte k of a word, what it makes of an empty state once the rest of the word and 32 more bytes have passed. */
const braidTable = (k: number) => byteTable + tableSize * (1 + k)
/** The last 16 KiB that the sparse multiple made; its first turn once more behind its end, so that a turn never wraps. */
const ring = braidTable(8)
const ringSize = 16 * 1024
/** What the sparse multiple leaves. */
const rest = ring + ringSize + turn
/** Bytes from here on are the caller's. */
export const reserved = 64 * 1024

if (rest + tail > reserved) throw new Error("the tables do not fit into the first page")

/** Fills a table: entry b is what `value`, given $b as an index, leaves. */
const fillTable = (address: number, value: string) => `
    (local.set $b (i32.const 0))
    (loop $entries
      (i64.store offset=${address} (i32.shl (local.get $b) (i32.const 3)) ${value})
      (br_if $entries (i32.lt_u (local.tee $b (i32.add (local.get $b) (i32.const 1))) (i32.const 256))))`

/** Entry $b of a table. */
const entry = (address: number) =>
  `(i64.load offset=${address} (i32.shl (local.get $b) (i32.const 3)))`

/** The tables are computed when the module is loaded: 20 µs instead of 18 KB to download. */
const tables = `
  (func $bits (param $crc i64) (result i64) (local $n i32)
    (loop $each
      (local.set $crc (i64.xor
        (i64.shr_u (local.get $crc) (i64.const 1))
        (i64.and
          (i64.sub (i64.const 0) (i64.and (local.get $crc) (i64.const 1)))
          (i64.const ${polynomial}))))
      (br_if $each (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 8))))
    (local.get $crc))

  (func $zeros (param $crc i64) (param $n i32) (result i64)
    (loop $each
      (local.set $crc (call $byte (local.get $crc) (i64.const 0)))
      (br_if $each (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $crc))

  (func $tables (local $b i32)${fillTable(byteTable, "(call $bits (i64.extend_i32_u (local.get $b)))")}${fillTable(braidTable(7), `(call $zeros ${entry(byteTable)} (i32.const ${braid - 8}))`)}${[
    6, 5, 4, 3, 2, 1, 0
  ]
    .map((k) => fillTable(braidTable(k), `(call $zeros ${entry(braidTable(k + 1))} (i32.const 1))`))
    .join("")})

  (start $tables)`

/** Byte by byte: the few that no longer fill a braid. */
const bytewise = `
  (func $byte (param $crc i64) (param $byte i64) (result i64)
    (i64.xor
      (i64.shr_u (local.get $crc) (i64.const 8))
      (i64.load offset=${byteTable} (i32.shl
        (i32.wrap_i64 (i64.and (i64.xor (local.get $crc) (local.get $byte)) (i64.const 255)))
        (i32.const 3)))))

  (func $bytes (param $crc i64) (param $at i32) (param $end i32) (result i64)
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $crc (call $byte (local.get $crc) (i64.load8_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $each)))
    (local.get $crc))`

/** Byte k of $w, times eight. */
const index = (k: number) =>
  k === 0
    ? "(i32.and (i32.shl (i32.wrap_i64 (local.get $w)) (i32.const 3)) (i32.const 2040))"
    : `(i32.and (i32.wrap_i64 (i64.shr_u (local.get $w) (i64.const ${8 * k - 3}))) (i32.const 2040))`

const xor = (type: string, values: ReadonlyArray<string>): string =>
  values.reduce((sum, value) => `(${type}.xor ${sum}\n          ${value})`)

/** Shifts the word $w by one braid. */
const shiftWord = xor(
  "i64",
  [0, 1, 2, 3, 4, 5, 6, 7].map((k) => `(i64.load offset=${braidTable(k)} ${index(k)})`)
)

/**
 * Five words side by side, each with a state of its own: strand k sees every
 * fifth word, so the look-ups of the five don't wait for each other. For the
 * last 40 bytes the strands are laid into one another word by word. As in zlib.
 */
const braided = `
  (func $braid (param $crc i64) (param $at i32) (param $end i32) (result i64)
    (local $w i64) ${strands.map((k) => `(local $s${k} i64)`).join(" ")}
    (if (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const ${braid}))
      (then (return (call $bytes (local.get $crc) (local.get $at) (local.get $end)))))
    (local.set $s0 (local.get $crc))
    (block $done
      (loop $each
        (br_if $done (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const ${2 * braid})))${strands
          .map(
            (k) => `
        (local.set $w (i64.xor (local.get $s${k}) (i64.load offset=${8 * k} (local.get $at))))
        (local.set $s${k} ${shiftWord})`
          )
          .join("")}
        (local.set $at (i32.add (local.get $at) (i32.const ${braid})))
        (br $each)))
    (local.set $crc (i64.const 0))${strands
      .map(
        (k) => `
    (local.set $crc (call $zeros
      (i64.xor (i64.xor (local.get $crc) (local.get $s${k})) (i64.load offset=${8 * k} (local.get $at)))
      (i32.const 8)))`
      )
      .join("")}
    (call $bytes (local.get $crc) (i32.add (local.get $at) (i32.const ${braid})) (local.get $end)))`

/** The vector of a turn at $at, XORed with those that are one of the distances back. */
const sparseVector = (offset: number) =>
  xor("v128", [
    `(v128.load offset=${offset} (local.get $at))`,
    ...distances.map((d) => `(v128.load offset=${ring + offset} (local.get $d${d}))`)
  ])

/** Runs `body` for each turn from $at to $end; $pos is the turn's place in the ring. */
const turns = (body: string) => `
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))${distances
          .map(
            (d) => `
        (local.set $d${d} (i32.and (i32.sub (local.get $pos) (i32.const ${8 * d})) (i32.const ${ringSize - 1})))`
          )
          .join("")}${body}
        (if (i32.eqz (local.get $pos)) (then
          (memory.copy (i32.const ${ring + ringSize}) (i32.const ${ring}) (i32.const ${turn}))))
        (local.set $pos (i32.and (i32.add (local.get $pos) (i32.const ${turn})) (i32.const ${ringSize - 1})))
        (local.set $at (i32.add (local.get $at) (i32.const ${turn})))
        (br $each)))`

const turnLocals = `(local $pos i32) ${distances.map((d) => `(local $d${d} i32)`).join(" ")}`

/**
 * The sparse multiple, as a recurrence: s[i] = data[i] XOR s[i − d] for each of
 * the distances d, and nothing before the start. It takes everything out of the
 * message but its last words, which are kept with what falls on them and go
 * through the braid. XOR only: no table, no multiplication.
 */
const sparse = `
  (global $pos (mut i32) (i32.const 0))

  ;; A state is laid over the first word by a word that is ${degree} before it.
  (func $begin (export "begin") (param $crc i64)
    (global.set $pos (i32.const 0))
    (memory.fill (i32.const ${ring}) (i32.const 0) (i32.const ${ringSize}))
    (i64.store offset=${ring} (i32.const ${ringSize - 8 * degree}) (local.get $crc)))

  ;; Takes whole turns, and more is to come: at least ${tail} bytes.
  (func $absorb (export "absorb") (param $at i32) (param $size i32) (local $end i32) ${turnLocals}
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    (local.set $pos (global.get $pos))${turns(
      vectors
        .map(
          (offset) => `
        (v128.store offset=${ring + offset} (local.get $pos) ${sparseVector(offset)})`
        )
        .join("")
    )}
    (global.set $pos (local.get $pos)))

  ;; Takes ${tail} bytes, which are left with what falls on them.
  (func $leave (param $at i32) (local $end i32) (local $to i32) ${turnLocals}
    (local.set $end (i32.add (local.get $at) (i32.const ${tail})))
    (local.set $pos (global.get $pos))${turns(
      `${vectors
        .map(
          (offset) => `
        (v128.store offset=${rest + offset} (local.get $to) ${sparseVector(offset)})`
        )
        .join("")}${vectors
        .map(
          (offset) => `
        (v128.store offset=${ring + offset} (local.get $pos) (v128.const i64x2 0 0))`
        )
        .join("")}
        (local.set $to (i32.add (local.get $to) (i32.const ${turn})))`
    )})

  ;; The last bytes, at least ${tail} of them.
  (func $end (export "end") (param $at i32) (param $size i32) (result i64) (local $end i32) (local $turns i32)
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    (local.set $turns (i32.and (i32.sub (local.get $size) (i32.const ${tail})) (i32.const ${-turn})))
    (call $absorb (local.get $at) (local.get $turns))
    (local.set $at (i32.add (local.get $at) (local.get $turns)))
    (call $leave (local.get $at))
    (call $braid
      (call $braid (i64.const 0) (i32.const ${rest}) (i32.const ${rest + tail}))
      (i32.add (local.get $at) (i32.const ${tail}))
      (local.get $end)))

  (func (export "update") (param $crc i64) (param $at i32) (param $size i32) (result i64)
    (if (i32.lt_u (local.get $size) (i32.const ${sparseFrom}))
      (then (return (call $braid
        (local.get $crc)
        (local.get $at)
        (i32.add (local.get $at) (local.get $size))))))
    (call $begin (local.get $crc))
    (call $end (local.get $at) (local.get $size)))`

/** The same functions for where there is no SIMD: everything through the braid. */
const plain = `
  (global $crc (mut i64) (i64.const 0))

  (func (export "begin") (param $crc i64)
    (global.set $crc (local.get $crc)))

  (func (export "absorb") (param $at i32) (param $size i32)
    (global.set $crc (call $update (global.get $crc) (local.get $at) (local.get $size))))

  (func (export "end") (param $at i32) (param $size i32) (result i64)
    (call $update (global.get $crc) (local.get $at) (local.get $size)))

  (func $update (export "update") (param $crc i64) (param $at i32) (param $size i32) (result i64)
    (call $braid (local.get $crc) (local.get $at) (i32.add (local.get $at) (local.get $size))))`

/** The module's text, with the sparse multiple or with the braid alone. */
export const source = (method: "simd" | "plain"): string => `(module
  (import "memory" "memory" (memory 1))${bytewise}
${tables}
${braided}
${method === "simd" ? sparse : plain})
`
