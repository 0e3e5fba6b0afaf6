/**
 * How fast uploads go, from what is between them and OSS: the arithmetic of
 * docs/scale.md. Seconds and bytes throughout.
 */

/** Between a runner and OSS. */
export interface Network {
  /** From the end of a request to its answer; as long again to open a connection. */
  readonly latency: number
  /** Bytes per second that one connection carries. */
  readonly connection: number
  /** Bytes per second that one runner's machine carries. */
  readonly node: number
}

/** What OSS takes from one account in one region. */
export interface Account {
  /** Bytes per second. */
  readonly bandwidth: number
  /** Requests per second. */
  readonly requests: number
}

/** What a runner itself costs. */
export interface Runner {
  /** From the start of its process to its first request. */
  readonly start: number
  /** Of one core, for each request. */
  readonly perRequest: number
  /** Of one core, for each byte. */
  readonly perByte: number
}

/** Files of one size, and how they are sent. */
export interface Work {
  readonly files: number
  readonly size: number
  readonly partSize: number
  /** Parts, or small files, that one runner sends at once. */
  readonly parallel: number
  readonly runners: number
}

/** Requests beside the parts: list, initiate and complete, one after the other. */
export const requestsAround = 3

/** From the first byte of a part, or of a whole small object, to its answer. */
export const requestSeconds = (network: Network, work: Work): number => {
  const size = Math.min(work.partSize, work.size)
  return network.latency + size / connectionShare(network, work)
}

const connectionShare = ({ connection, node }: Network, { parallel }: Work) =>
  Math.min(connection, node / parallel)

/** One file on an idle runner, from its first request to the answer of its last. */
export const fileSeconds = (network: Network, runner: Runner, work: Work): number => {
  const { latency } = network
  const parts = Math.ceil(work.size / work.partSize)
  // One request makes a small object; it opens its connection first.
  if (parts === 1) return latency + requestSeconds(network, work) + runner.perRequest
  const rounds = Math.ceil(parts / work.parallel)
  const last = work.size - (parts - 1) * work.partSize
  const isLastRoundShort = parts % work.parallel === 1
  const saved = isLastRoundShort ? (work.partSize - last) / connectionShare(network, work) : 0
  const wire = rounds * requestSeconds(network, work) - saved
  const core = work.size * runner.perByte + parts * runner.perRequest
  return (requestsAround + 2) * latency + Math.max(wire, core)
}

/** What holds a fleet back, and what is left: bytes per second. */
export interface Throughput {
  readonly limit:
    | "latency and connections"
    | "node"
    | "core"
    | "account bandwidth"
    | "account requests"
  readonly bytesPerSecond: number
}

/** A whole fleet in the steady state, with work for every slot. */
export const throughput = (
  network: Network,
  account: Account,
  runner: Runner,
  work: Work
): Throughput => {
  const parts = Math.ceil(work.size / work.partSize)
  const requests = parts === 1 ? 1 : parts + requestsAround
  const size = work.size / requests
  const wire = requestSeconds({ ...network, node: Number.POSITIVE_INFINITY }, work)
  const limits: ReadonlyArray<Throughput> = [
    {
      limit: "latency and connections",
      bytesPerSecond: (work.runners * work.parallel * Math.min(work.partSize, work.size)) / wire
    },
    { limit: "node", bytesPerSecond: work.runners * network.node },
    {
      limit: "core",
      bytesPerSecond: work.runners / (runner.perByte + runner.perRequest / size)
    },
    { limit: "account bandwidth", bytesPerSecond: account.bandwidth },
    { limit: "account requests", bytesPerSecond: account.requests * size }
  ]
  return limits.reduce((least, next) => (next.bytesPerSecond < least.bytesPerSecond ? next : least))
}
