/**
 * The `effect-oss` command, for a program of your own that has it as one of its
 * commands. Everything else of this package is internal.
 *
 * @since 0.1.0
 */
export * as Cli from "./Cli.ts"
export * as Command from "./Command.ts"
