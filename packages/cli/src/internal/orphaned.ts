/**
 * Ends the command if npx has gone. npx passes no signal on when a supervisor
 * kills it, and the command would run on beside the next one.
 */

/** How often to look, in milliseconds. */
const look = 500

/**
 * npx and `npm exec` set this variable. A script of npm may start the command in
 * the background on purpose.
 */
const isRunByNpx = () => process.env["npm_command"] === "exec"

/**
 * Calls back when the npx that started this process has gone. Returns a function
 * that stops looking.
 */
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
