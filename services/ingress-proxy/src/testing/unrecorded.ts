import { commitToRunning } from '../gate/index.js';
import { type LoggedStatement, secretOf, statementsIn } from './statement-log.store.js';
import type { World } from './world.driver.js';

/**
 * Statements in the target's own log that no decision covers: each logged statement uses up one decision of its session
 * that commits to exactly its text.
 */
export async function unrecordedStatements(world: World): Promise<readonly LoggedStatement[]> {
  const running = new Map<string, Map<string, string>>();
  for (const event of await world.events()) {
    if (event.type !== 'countersign.action.decided.v1' || event.data.running === null) continue;
    const { session, action } = event.data;
    running.set(session, (running.get(session) ?? new Map()).set(action, event.data.running));
  }
  const unrecorded: LoggedStatement[] = [];
  for (const statement of statementsIn(world.postgres.logFile)) {
    const actions = running.get(statement.session) ?? new Map<string, string>();
    const secret = await secretOf(world.folder, statement.session, world.recipientPrivateKey);
    const match = [...actions].find(
      ([action, commitment]) => commitToRunning(secret, action, statement.text) === commitment,
    );
    if (match === undefined) unrecorded.push(statement);
    else actions.delete(match[0]);
  }
  return unrecorded;
}
