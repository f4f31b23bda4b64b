/** A mistake on the command line. It is printed as a sentence, without a stack trace, and ends the process with 2. */
export class Misuse extends Error {
  /** Whose help says more; undefined: that of `bulkhead` itself. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(message);
    this.command = command;
  }
}
