import { canonicalJson } from '@countersign/contracts';
import { dataOf, type Conversation as Heard, type PublishedEvent } from '../e2e/support/index.js';
import type { Conversation, RecordedAction } from './judge.js';

/** The bytes that a decision commits to: RFC 8785 canonical JSON of text, declared types and parameters in base64. */
function submittedBytes({ text, values = [] }: Heard['asked'][number]['ask']): string {
  return canonicalJson({
    parameters: values.map((value) => Buffer.from(String(value)).toString('base64')),
    parameterTypes: [],
    statement: text,
  });
}

/** What an agent remembers, as the judge reads it. */
export function conversationOf({ agent, session, asked }: Heard): Conversation {
  return {
    agent,
    session,
    asked: asked.map(({ ask, ending }) => ({ submitted: submittedBytes(ask), ending })),
  };
}

/** Actions that were decided to run, on whatever target, and have no outcome. */
export function openActions(published: readonly PublishedEvent[]): readonly string[] {
  const ended = new Set(dataOf(published, 'countersign.action.completed.v1').map(({ action }) => action));
  return dataOf(published, 'countersign.action.decided.v1')
    .filter(({ action, running }) => running !== null && !ended.has(action))
    .map(({ action }) => action);
}

/** Decisions on one target, with their outcomes. */
export function recordedActions(
  published: readonly PublishedEvent[],
  target: string,
): readonly RecordedAction[] {
  const outcomes = new Map(
    dataOf(published, 'countersign.action.completed.v1').map(({ action, status, error }) => [
      action,
      { status, error },
    ]),
  );
  return dataOf(published, 'countersign.action.decided.v1')
    .filter((data) => data.target === target)
    .map(({ action, session, ordinal, submitted, refusal }) => ({
      action,
      session,
      ordinal,
      submitted,
      refusal,
      outcome: outcomes.get(action) ?? null,
    }));
}
