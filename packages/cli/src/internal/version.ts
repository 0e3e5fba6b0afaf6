/**
 * The package's version, in a separate file so that it can be printed before
 * other code is loaded.
 */
export const version = "0.1.0"
