#!/usr/bin/env node
import { CountersignError, toCountersignError } from '@countersign/errors';
import pc from 'picocolors';
import { createProgram } from './program.js';

/** Exit code of a command that failed for a reason that is no finding of its own. */
const FAILURE = 1;
/** Older runtimes lack what the checks rest on, and a check that cannot run must not look like a forgery. */
const OLDEST_NODE = 24;

try {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE)
    throw new CountersignError('config.invalid', {
      detail: `This is Node ${process.versions.node}.`,
      next: `Run it with Node ${OLDEST_NODE} or newer: \`npx countersign\` in the checkout does.`,
    });
  await createProgram().parseAsync(process.argv);
} catch (thrown) {
  const error = toCountersignError(thrown);
  process.stderr.write(`${pc.red('error')} ${error.message}\n${error.next}\n`);
  // An unexpected failure keeps its text for whoever runs the command; it names no secret of a service.
  if (!(thrown instanceof CountersignError)) process.stderr.write(`${String(thrown)}\n`);
  process.exitCode = FAILURE;
}
