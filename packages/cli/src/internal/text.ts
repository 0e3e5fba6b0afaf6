/** Text that a terminal shows as one line, whatever is in it. */

/** Names of files and messages of servers may hold line ends and escape sequences. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
