import { parentPort, workerData } from 'node:worker_threads';
import { CountersignError, toWire } from '@countersign/errors';
import { LRUCache } from 'lru-cache';
import type { TargetContext } from '../analysis/index.js';
import { readCatalogue } from '../catalogue/index.js';
import { describe } from '../lineage/index.js';
import { type Grammar, loadGrammar, parseMessage } from '../parsing/index.js';
import { inspectParsed, isPoisoned, rewriteParsed } from './engine.js';
import type { Order, Reply, Task, TaskResult } from './messages.js';

// A thread with a parser of its own. It dies rather than go on with a parser that an input may have broken.
const port = parentPort;
if (port === null) throw new Error('This file runs as a worker thread only.');
const grammar = await loadGrammar();
const masks = new LRUCache<string, ReturnType<Grammar>>({ max: 2000 });
/** The grammar for masked subqueries; trees are never changed, so one may stand in many statements. */
const own: Grammar = (text) => {
  const known = masks.get(text);
  if (known !== undefined) return known;
  const parsed = grammar(text);
  masks.set(text, parsed);
  return parsed;
};
const contexts = new Map(
  (workerData as readonly TargetContext[]).map((context) => [context.target, context]),
);

function contextOf(target: string): TargetContext {
  const context = contexts.get(target);
  if (context === undefined) throw new CountersignError('masking.catalogue_missing');
  return context;
}

function answer(task: Task): Reply {
  let spent = false;
  const analyse = (): TaskResult => {
    if (task.kind === 'describe')
      return describe(task.target, readCatalogue(task.rows), task.labels, grammar);
    const context = contextOf(task.target);
    const parsed = parseMessage(grammar, task.input.statement);
    spent = isPoisoned(parsed);
    const contextDigest = context.digest;
    if (task.kind === 'inspect') return { ...inspectParsed(parsed, task.input, context), contextDigest };
    return {
      rewrite: rewriteParsed(
        parsed,
        { profile: task.profile, lookups: task.lookups, parameterTypes: task.input.parameterTypes },
        context,
        grammar,
        own,
      ),
      contextDigest,
    };
  };
  try {
    const result = analyse();
    return { reply: 'done', result, spent };
  } catch (thrown) {
    if (thrown instanceof CountersignError) return { reply: 'failed', error: toWire(thrown), spent };
    // A stack that was too small, or a fault of ours: either way nobody knows what state it left.
    const code = thrown instanceof RangeError ? 'statement.too_complex' : 'internal';
    return {
      reply: 'failed',
      error: toWire(new CountersignError(code)),
      spent: true,
      where: framesOf(thrown),
    };
  }
}

/** Where something was thrown. Its message stays here: it may quote the statement. */
function framesOf(thrown: unknown): string {
  const lines = thrown instanceof Error ? (thrown.stack ?? '').split('\n') : [];
  return lines
    .filter((line) => /^ {4}at /.test(line))
    .slice(0, 8)
    .join('\n');
}

port.on('message', (order: Order) => {
  if (order.order === 'context') contexts.set(order.context.target, order.context);
  else port.postMessage(answer(order.task));
});
port.postMessage({ reply: 'ready' } satisfies Reply);
