import { setTimeout as delay } from 'node:timers/promises';
import { type AgentPart, cast, type Deployment } from '@countersign/deploy';
import type pg from 'pg';
import { clientOf, type Ending, endingOf, sessionOf } from './agent.client.js';

export interface Ask {
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** One round: what is asked for, each told how it ended. */
export type Asks = Generator<Ask, void, Ending>;

/** All that was asked on one connection, in order. */
export interface Conversation {
  readonly agent: string;
  /** As the gateway named it when the connection was opened. */
  readonly session: string;
  readonly asked: { readonly ask: Ask; readonly ending: Ending }[];
}

const pauseMilliseconds = 10;
const reconnectMilliseconds = 100;

/** One agent that asks one thing after the other, for ever, and connects again whenever its connection is gone. */
export class Traffic {
  readonly endings: Ending[] = [];
  /** What was asked on each connection, as this agent itself remembers it. */
  readonly conversations: Conversation[] = [];
  readonly #deployment: Deployment;
  readonly #part: AgentPart;
  readonly #asks: () => Asks;
  #stopped = false;
  #paused = false;
  #client: pg.Client | null = null;
  #conversation: Conversation | null = null;
  #token: string | null = null;
  readonly #done: Promise<void>;
  /** Resolves once the loop stands still. */
  #still = Promise.withResolvers<void>();
  #resume = Promise.withResolvers<void>();

  /** @param asks what it asks for in one round; a round that loses its connection is not gone on with */
  constructor(deployment: Deployment, part: AgentPart, asks: () => Asks) {
    this.#deployment = deployment;
    this.#part = part;
    this.#asks = asks;
    this.#done = this.#run();
  }

  /** Statements that were answered with rows. */
  get served(): number {
    return this.endings.filter(({ kind, what }) => kind === 'rows' && what !== 'connect').length;
  }

  /** Resolves when nothing of this agent is under way. */
  async pause(): Promise<void> {
    if (this.#stopped) return;
    this.#paused = true;
    await this.#still.promise;
  }

  resume(): void {
    this.#paused = false;
    this.#still = Promise.withResolvers();
    this.#resume.resolve();
    this.#resume = Promise.withResolvers();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#resume.resolve();
    await this.#done;
    await this.#client?.end().catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      if (this.#client === null) await this.#connect();
      else await this.#round(this.#client);
      if (!this.#paused) continue;
      this.#still.resolve();
      await this.#resume.promise;
    }
    this.#still.resolve();
  }

  async #connect(): Promise<void> {
    const connecting = (async () => {
      this.#token ??= await this.#deployment.people.sessionToken(this.#part);
      const client = clientOf(this.#deployment, { user: cast[this.#part].id, password: this.#token });
      const session = sessionOf(client);
      await client.connect();
      this.#client = client;
      this.#conversation = { agent: cast[this.#part].id, session: session(), asked: [] };
      this.conversations.push(this.#conversation);
      // What an idle agent is told before its connection ends.
      client.once('error', (error) => void this.#told(client, error));
      return {};
    })();
    const ending = await endingOf('connect', connecting);
    this.endings.push(ending);
    if (ending.kind === 'rows') return;
    this.#token = null;
    await delay(reconnectMilliseconds);
  }

  async #told(client: pg.Client, error: Error): Promise<void> {
    if (this.#client !== client) return;
    this.#client = null;
    this.endings.push(await endingOf('nothing', Promise.reject(error)));
  }

  async #round(client: pg.Client): Promise<void> {
    const asks = this.#asks();
    const conversation = this.#conversation;
    for (let next = asks.next(); next.done !== true; ) {
      const { text, values } = next.value;
      const asked = values === undefined ? client.query(text) : client.query(text, [...values]);
      const ending = await endingOf(text, asked);
      this.endings.push(ending);
      conversation?.asked.push({ ask: next.value, ending });
      next = asks.next(ending);
      if (ending.fatal && this.#client === client) this.#client = null;
      if (this.#client !== client || this.#stopped) return;
      await delay(pauseMilliseconds);
    }
  }
}
