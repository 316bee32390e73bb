import type { ErrorCode } from '@countersign/errors';

/** What a rule says to a command: what happened because of it, and the reason if it was refused. */
export interface Ruling<Happening> {
  readonly happened: readonly Happening[];
  /** Code for whoever asked; null where the command was obeyed. A refusal may still have made something happen (expiry). */
  readonly refusal: ErrorCode | null;
}

/** Rules of one kind of aggregate. Both functions are pure: time and chance come in with the command. */
export interface Rules<State, Command, Happening> {
  readonly initial: State;
  decide(state: State, command: Command): Ruling<Happening>;
  evolve(state: State, happening: Happening): State;
}

export function obeyed<Happening>(...happened: readonly Happening[]): Ruling<Happening> {
  return { happened, refusal: null };
}

export function refused<Happening>(code: ErrorCode, ...happened: readonly Happening[]): Ruling<Happening> {
  return { happened, refusal: code };
}

/** The state after a history. */
export function fold<State, Command, Happening>(
  rules: Rules<State, Command, Happening>,
  history: readonly Happening[],
): State {
  return history.reduce((state, happening) => rules.evolve(state, happening), rules.initial);
}
