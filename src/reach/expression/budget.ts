/** How many steps a proof may take. Counted, so that every replica comes to the same answer however busy it is. */
/** About 3 ms. An expression of twelve tests never takes so many. */
export const mostSteps = 4000;

export class Budget {
  #left: number;

  constructor(steps: number) {
    this.#left = steps;
  }

  /** False: there were not so many left. */
  spend(steps: number): boolean {
    this.#left -= steps;
    return this.#left >= 0;
  }

  get isSpent(): boolean {
    return this.#left < 0;
  }
}
