/** The package's version. It stands alone, so that it can be told before anything else is loaded. */
export const version = "0.1.0"
