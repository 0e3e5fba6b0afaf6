/** Times as JSON and logs have them. */
import * as DateTime from "effect/DateTime"

/** In UTC, with milliseconds: `2026-01-01T00:00:00.000Z`. */
export const isoTime = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))
