/**
 * Progress of uploads on a terminal and in logs.
 *
 * @since 0.1.0
 */
export * as Display from "./Display.ts"
export * as Pinned from "./Pinned.ts"
export * as Render from "./Render.ts"
export * as Screen from "./Screen.ts"
export * as Text from "./Text.ts"
