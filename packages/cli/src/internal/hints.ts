/** What more than one place advises. */

/** An upload that has ended leaves nothing to carry on with. */
export const spared = "with --skip-identical, what is uploaded is not sent again"
