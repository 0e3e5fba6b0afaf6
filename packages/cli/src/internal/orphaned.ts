/**
 * npx starts the command, and ends without passing a signal on when a supervisor
 * kills it. The command would go on although nothing waits for it, beside the
 * one that is started next.
 */

/** How often it is looked, in milliseconds. */
const look = 500

/** Set by npx and `npm exec`. A script of npm's may mean to leave the command at work. */
const isRunByNpx = () => process.env["npm_command"] === "exec"

/** Calls back once the npx that started this process has gone. Yields how to stop looking. */
export const onOrphaned = (callback: () => void): (() => void) => {
  if (!isRunByNpx()) return () => {}
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    callback()
  }, look)
  timer.unref()
  return () => clearInterval(timer)
}
