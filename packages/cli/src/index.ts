/**
 * The `effect-oss` command and its pure pieces.
 *
 * @since 0.1.0
 */
export * as Age from "./Age.ts"
export * as Cli from "./Cli.ts"
export * as CliFailure from "./CliFailure.ts"
export * as ClusterCommand from "./ClusterCommand.ts"
export * as Command from "./Command.ts"
export * as Explain from "./Explain.ts"
export * as ObjectUrl from "./ObjectUrl.ts"
export * as OssutilConfig from "./OssutilConfig.ts"
export * as Output from "./Output.ts"
export * as PendingTable from "./PendingTable.ts"
export * as Reporter from "./Reporter.ts"
export * as Size from "./Size.ts"
