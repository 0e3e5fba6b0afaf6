/**
 * The metrics of uploads, for Effect's `Metric` and its exporters. Each metric
 * has the attribute `oss.bucket`, and the attributes that its comment names.
 */
import * as Metric from "effect/Metric"

/**
 * Bytes that OSS has acknowledged in this process. Bytes that an earlier run had
 * sent don't count.
 */
export const bytes: Metric.Counter<number> = Metric.counter("oss.upload.bytes", {
  description: "Bytes that OSS has acknowledged",
  incremental: true,
  attributes: { unit: "By" }
})

/**
 * Parts that OSS has acknowledged in this process. A source that is sent in one
 * request counts as one part.
 */
export const parts: Metric.Counter<number> = Metric.counter("oss.upload.parts", {
  description: "Parts that OSS has acknowledged",
  incremental: true
})

/**
 * Requests that failed and were sent again, with `oss.operation` and the tag of
 * the error's reason as `error.type`.
 */
export const retries: Metric.Counter<number> = Metric.counter("oss.upload.retries", {
  description: "Requests that failed and were sent again",
  incremental: true
})

/**
 * Uploads that ended, with `outcome`: `completed`, `skipped`, `failed` or
 * `interrupted`.
 */
export const uploads: Metric.Counter<number> = Metric.counter("oss.upload.uploads", {
  description: "Uploads that ended",
  incremental: true
})

/**
 * Parts in flight now. A source that is sent in one request counts as one part.
 */
export const inFlight: Metric.Gauge<number> = Metric.gauge("oss.upload.in_flight", {
  description: "Parts that are on their way"
})

/**
 * How long each part took that OSS acknowledged, in seconds. Only the attempt
 * that succeeded counts.
 */
export const partDuration: Metric.Histogram<number> = Metric.histogram("oss.upload.part.duration", {
  description: "How long a part took",
  boundaries: Metric.exponentialBoundaries({ start: 0.05, factor: 2, count: 14 }),
  attributes: { unit: "s" }
})
