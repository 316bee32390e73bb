import { CountersignError } from '@countersign/errors';
import type { Submitted } from '../../../gate/index.js';
import type { Format, FrontendMessage } from '../codec/index.js';
import { unanalysableOf } from './messages.js';

/** A statement that an agent prepared: kept here, and only ever sent to the target for a decided action. */
export interface Prepared {
  readonly text: string;
  readonly parameterTypes: readonly number[];
}

export interface Portal {
  readonly prepared: Prepared;
  readonly parameters: readonly (Buffer | null)[];
  readonly parameterFormats: readonly Format[];
  readonly resultFormats: readonly Format[];
  /** `suspended`: it has given rows and has more. */
  readonly state: 'bound' | 'suspended' | 'ran';
}

/** Names of one session. */
export interface Registry {
  readonly statements: ReadonlyMap<string, Prepared>;
  readonly portals: ReadonlyMap<string, Portal>;
}

export const emptyRegistry: Registry = { statements: new Map(), portals: new Map() };

/** Bounds of what one session may keep. */
const MOST_STATEMENTS = 500;
const MOST_PORTALS = 100;
const MOST_BYTES = 8 * 1024 * 1024;

/** Part of the answer, in the order of the agent's messages. */
export type Part =
  | 'parse-complete'
  | 'bind-complete'
  | 'close-complete'
  | 'describe-statement'
  | 'describe-portal';

/** What one message of the extended protocol comes to. */
export type Effect =
  | { readonly do: 'reply'; readonly registry: Registry; readonly part: Part }
  /** Describes without running. */
  | {
      readonly do: 'prepare';
      readonly prepared: Prepared;
      /** Those of a portal that is described. */
      readonly resultFormats: readonly Format[];
      readonly part: Part;
    }
  /** A description that comes with the run of the same statement later in the batch. */
  | { readonly do: 'later'; readonly part: Part }
  | {
      readonly do: 'run';
      readonly registry: Registry;
      readonly portal: Portal;
      readonly name: string;
      /** 0 for all. */
      readonly maximumRows: number;
    }
  /** Goes on with a portal that has given rows already. */
  | { readonly do: 'continue'; readonly name: string; readonly maximumRows: number }
  /** A portal that has more rows is described: its columns are known. */
  | { readonly do: 'recall'; readonly name: string }
  /** A portal that has more rows is closed, or another takes its place. */
  | {
      readonly do: 'conclude';
      readonly registry: Registry;
      readonly name: string;
      readonly part: Part;
    }
  /** Cannot be asked of a target: recorded as a refused action. */
  | { readonly do: 'refuse'; readonly submitted: Submitted }
  /** A mistake in the protocol alone: nothing was asked. */
  | { readonly do: 'fail'; readonly error: CountersignError };

/** What the message at `index` comes to, given the names so far and the messages that follow before the Sync. */
export function effectOf(messages: readonly FrontendMessage[], index: number, registry: Registry): Effect {
  const message = messages[index];
  switch (message?.kind) {
    case 'parse':
      return parsed(message, registry);
    case 'bind':
      return bound(message, registry);
    case 'describe':
      return described(message, messages.slice(index + 1), registry);
    case 'execute':
      return executed(message, registry);
    case 'close':
      return closed(message, registry);
    case 'oversized':
    case 'invalid-text': {
      const submitted = unanalysableOf(message);
      return submitted === null ? fail('protocol.out_of_order') : { do: 'refuse', submitted };
    }
    default:
      return fail('protocol.out_of_order');
  }
}

function parsed(message: Extract<FrontendMessage, { kind: 'parse' }>, registry: Registry): Effect {
  if (message.name !== '' && registry.statements.has(message.name)) {
    return fail('protocol.out_of_order', 'A prepared statement of this name exists.');
  }
  const { text, parameterTypes } = message;
  const statements = new Map(registry.statements).set(message.name, { text, parameterTypes });
  return kept({ ...registry, statements }, 'parse-complete');
}

function bound(message: Extract<FrontendMessage, { kind: 'bind' }>, registry: Registry): Effect {
  const prepared = registry.statements.get(message.statement);
  if (prepared === undefined) return fail('protocol.out_of_order', 'There is no such prepared statement.');
  if (message.portal !== '' && registry.portals.has(message.portal)) {
    return fail('protocol.out_of_order', 'A portal of this name exists.');
  }
  const bytes = Buffer.concat(message.parameters.filter((value) => value !== null));
  if (!message.validText) return refuse('statement.invalid_text', bytes);
  const { parameters, parameterFormats, resultFormats } = message;
  const portal: Portal = { prepared, parameters, parameterFormats, resultFormats, state: 'bound' };
  const after = kept(
    { ...registry, portals: new Map(registry.portals).set(message.portal, portal) },
    'bind-complete',
  );
  if (after.do !== 'reply' || !isSuspended(registry, message.portal)) return after;
  return { ...after, do: 'conclude', name: message.portal };
}

function described(
  message: Extract<FrontendMessage, { kind: 'describe' | 'close' }>,
  following: readonly FrontendMessage[],
  registry: Registry,
): Effect {
  const portal = message.what === 'portal' ? registry.portals.get(message.name) : undefined;
  const prepared = message.what === 'statement' ? registry.statements.get(message.name) : portal?.prepared;
  if (prepared === undefined) return fail('protocol.out_of_order', `There is no such ${message.what}.`);
  if (message.what === 'portal' && isSuspended(registry, message.name)) {
    return { do: 'recall', name: message.name };
  }
  const part = message.what === 'statement' ? 'describe-statement' : 'describe-portal';
  return nextExecuted(following, registry) === prepared
    ? { do: 'later', part }
    : { do: 'prepare', prepared, resultFormats: portal?.resultFormats ?? [], part };
}

function executed(message: Extract<FrontendMessage, { kind: 'execute' }>, registry: Registry): Effect {
  const portal = registry.portals.get(message.portal);
  if (portal === undefined) return fail('protocol.out_of_order', 'There is no such portal.');
  if (portal.state === 'ran') return fail('protocol.out_of_order', 'The portal has run already.');
  // As in PostgreSQL, what is not positive is no limit.
  const maximumRows = Math.max(0, message.maximumRows);
  const name = message.portal;
  if (portal.state === 'suspended') return { do: 'continue', name, maximumRows };
  return { do: 'run', registry: withState(registry, name, 'ran'), portal, name, maximumRows };
}

function closed(
  message: Extract<FrontendMessage, { kind: 'describe' | 'close' }>,
  registry: Registry,
): Effect {
  // Closing what does not exist is no error.
  if (message.what === 'statement') {
    const statements = new Map(registry.statements);
    statements.delete(message.name);
    return { do: 'reply', registry: { ...registry, statements }, part: 'close-complete' };
  }
  const { name } = message;
  const portals = new Map(registry.portals);
  portals.delete(name);
  const after = { registry: { ...registry, portals }, part: 'close-complete' } as const;
  return isSuspended(registry, name) ? { do: 'conclude', name, ...after } : { do: 'reply', ...after };
}

function isSuspended(registry: Registry, portal: string): boolean {
  return registry.portals.get(portal)?.state === 'suspended';
}

/** The names after a portal has come to another state. */
export function withState(registry: Registry, name: string, state: Portal['state']): Registry {
  const portal = registry.portals.get(name);
  if (portal === undefined) return registry;
  return { ...registry, portals: new Map(registry.portals).set(name, { ...portal, state }) };
}

/** The statement that the next Execute runs, if the messages before it succeed. */
function nextExecuted(messages: readonly FrontendMessage[], registry: Registry): Prepared | null {
  const statements = new Map(registry.statements);
  const portals = new Map(
    [...registry.portals].flatMap(([name, portal]) =>
      portal.state === 'bound' ? [[name, portal.prepared] as const] : [],
    ),
  );
  for (const message of messages) {
    if (message.kind === 'execute') return portals.get(message.portal) ?? null;
    if (message.kind === 'bind') {
      const prepared = statements.get(message.statement);
      if (prepared === undefined) return null;
      portals.set(message.portal, prepared);
    } else if (message.kind === 'parse') {
      statements.set(message.name, { text: message.text, parameterTypes: message.parameterTypes });
    } else if (message.kind !== 'describe' && message.kind !== 'close') return null;
  }
  return null;
}

/** After a Sync outside a transaction all portals are gone. */
export function withoutPortals(registry: Registry): Registry {
  return registry.portals.size === 0 ? registry : { ...registry, portals: new Map() };
}

/** A simple Query takes the unnamed statement and portal away. */
export function withoutUnnamed(registry: Registry): Registry {
  if (!registry.statements.has('') && !registry.portals.has('')) return registry;
  const statements = new Map(registry.statements);
  const portals = new Map(registry.portals);
  statements.delete('');
  portals.delete('');
  return { statements, portals };
}

function kept(registry: Registry, part: Part): Effect {
  const bytes =
    [...registry.statements.values()].reduce((sum, prepared) => sum + prepared.text.length, 0) +
    [...registry.portals.values()].reduce(
      (sum, portal) => sum + portal.parameters.reduce((all, value) => all + (value?.length ?? 0), 0),
      0,
    );
  if (
    registry.statements.size > MOST_STATEMENTS ||
    registry.portals.size > MOST_PORTALS ||
    bytes > MOST_BYTES
  ) {
    return fail('protocol.too_large', 'The session keeps too many prepared statements.');
  }
  return { do: 'reply', registry, part };
}

function refuse(code: 'statement.invalid_text', bytes: Buffer): Effect {
  return { do: 'refuse', submitted: { kind: 'unanalysable', code, bytes } };
}

function fail(code: 'protocol.out_of_order' | 'protocol.too_large', detail?: string): Effect {
  return { do: 'fail', error: new CountersignError(code, detail === undefined ? {} : { detail }) };
}

const OPENS_TRANSACTION = /^\s*(?:begin|start\s+transaction)\b[^;]*;?\s*$/i;

/**
 * Whether an Execute may run although more follow before the Sync. Each action has a Sync of its own at the target, which
 * means the same only within a transaction: outside, a later failure could not undo an earlier action of the batch.
 */
export function mayRunBeforeOthers(text: string, inTransaction: boolean): boolean {
  return inTransaction || OPENS_TRANSACTION.test(text);
}

/** Whether messages behind the Execute at `index` execute another portal, or this one bound anew. */
export function executesAnother(messages: readonly FrontendMessage[], index: number): boolean {
  const first = messages[index];
  const name = first?.kind === 'execute' ? first.portal : null;
  let rebound = false;
  for (const message of messages.slice(index + 1)) {
    rebound ||= message.kind === 'bind' && message.portal === name;
    if (message.kind === 'execute' && (rebound || message.portal !== name)) return true;
  }
  return false;
}

/** Whether a text holds no statement at all. */
export function isEmptyText(text: string): boolean {
  return /^[\s;]*$/.test(text);
}
