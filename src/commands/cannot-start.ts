/** What the person who starts it must mend, one line for each problem; to be said without a stack trace. */
export class CannotStart extends Error {}
