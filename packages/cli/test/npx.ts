/** Starts a program as npx does, and passes no signal on. */
import { spawn } from "node:child_process"

spawn(process.execPath, [process.argv[2]!, "0"], { stdio: "inherit" })
