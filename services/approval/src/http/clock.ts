/** The time of the service. A class, so that Nest can hand it out. */
export class Clock {
  readonly seconds: () => number;

  constructor(seconds: () => number) {
    this.seconds = seconds;
  }
}
