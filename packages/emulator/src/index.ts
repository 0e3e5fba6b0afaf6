/**
 * An OSS that runs on your own machine.
 *
 * @since 0.1.0
 */
export * as Fault from "./Fault.ts"
export * as OssEmulator from "./OssEmulator.ts"
export * as RequestLog from "./RequestLog.ts"
