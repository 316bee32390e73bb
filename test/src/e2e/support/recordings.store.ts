import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commitmentOf } from '@countersign/contracts';
import { targetName } from '@countersign/deploy';
import { compactDecrypt, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { dataOf, type PublishedEvent } from './events.client.js';
import type { Installation } from './installation.driver.js';
import { type Reconciliation, type RunningDecision, reconcile } from './reconcile.js';
import { statementsIn } from './statement-log.js';

const opened = z.object({ session: z.string(), secret: z.base64url() });

/** Opens commitments as the holder of the recordings' key can: from the sealed secret of each session. */
export class Recordings {
  readonly #folder: string;
  readonly #keyFile: string;
  readonly #secrets = new Map<string, Buffer>();

  constructor({ data, deployment }: Installation) {
    this.#folder = join(data, 'recordings');
    this.#keyFile = deployment.secrets.file('recording-recipient.private.jwk');
  }

  /** Reads what was sealed for these sessions. Throws where a session has nothing that opens. */
  async open(sessions: Iterable<string>): Promise<void> {
    const key = await importJWK(JSON.parse(await readFile(this.#keyFile, 'utf8')) as JWK, 'ECDH-ES+A256KW');
    for (const session of new Set(sessions)) {
      if (this.#secrets.has(session)) continue;
      const sealed = await readFile(join(this.#folder, `${session}.jwe`), 'utf8');
      const { plaintext } = await compactDecrypt(sealed, key);
      const { secret } = opened.parse(JSON.parse(Buffer.from(plaintext).toString('utf8')));
      this.#secrets.set(session, Buffer.from(secret, 'base64url'));
    }
  }

  /** Whether a decision commits to a running text. */
  readonly commits = ({ session, action, running }: RunningDecision, text: string): boolean =>
    this.#commitment(session, action, 'running', text) === running;

  /** Whether a decision commits to submitted bytes. */
  readonly committed = (
    decision: { readonly session: string; readonly action: string; readonly submitted: string },
    bytes: string,
  ): boolean =>
    this.#commitment(decision.session, decision.action, 'submitted', bytes) === decision.submitted;

  /** SHA-256(salt ‖ bytes), salt = HMAC-SHA-256(secret, `<action>:<purpose>`). */
  #commitment(session: string, action: string, purpose: 'running' | 'submitted', bytes: string): string {
    const secret = this.#secrets.get(session);
    if (secret === undefined) throw new Error(`The secret of session ${session} was not opened.`);
    return commitmentOf(createHmac('sha256', secret).update(`${action}:${purpose}`).digest(), bytes);
  }
}

/** Decisions after which something was to run at a target, with their outcomes. */
export function runningDecisions(
  published: readonly PublishedEvent[],
  target: string,
): readonly RunningDecision[] {
  const outcomes = new Map(
    dataOf(published, 'countersign.action.completed.v1').map(({ action, status }) => [action, status]),
  );
  return published.flatMap(({ event }) => {
    if (event.type !== 'countersign.action.decided.v1' || event.data.running === null) return [];
    const { action, session, running, target: asked } = event.data;
    if (asked !== target) return [];
    const status = outcomes.get(action) ?? null;
    return [{ action, session, system: event.origin === 'system', running, status }];
  });
}

/** Joins the target's own statement log with what was published before. */
export async function reconciled(
  installation: Installation,
  recordings: Recordings,
  published: readonly PublishedEvent[],
): Promise<Reconciliation> {
  const statements = statementsIn(await readFile(installation.deployment.target.instance.logFile, 'utf8'));
  const decisions = runningDecisions(published, targetName);
  await recordings.open(decisions.map(({ session }) => session));
  return reconcile(statements, decisions, recordings.commits);
}
