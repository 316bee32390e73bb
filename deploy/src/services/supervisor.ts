import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { CountersignError } from '@countersign/errors';

export interface ProcessSpecification {
  readonly name: string;
  /** Script to run under this Node. */
  readonly script: string;
  readonly arguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Its standard output and error go here. */
  readonly logFile: string;
  /** Its output could not be kept: the disk is full, say. */
  onLogError(error: Error): void;
}

/** EX_IOERR of sysexits(3), with which a service ends when there is no space left. */
const diskFullStatus = 74;
const readyMilliseconds = 30_000;
const stopMilliseconds = 8_000;
const restartMilliseconds = { first: 200, most: 5_000 };
/** Who has run so long starts again without the delay of the falls before. */
const steadyMilliseconds = 10_000;

/**
 * One service as a process of its own, started again with back-off when it dies unasked.
 * A service is ready when it logs a line whose `event` is `ready`.
 */
export class SupervisedProcess {
  readonly name: string;
  readonly #specification: ProcessSpecification;
  #child: ChildProcess | undefined;
  #stopping = false;
  #restarts = 0;
  #lastLines: string[] = [];

  constructor(specification: ProcessSpecification) {
    this.name = specification.name;
    this.#specification = specification;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts the process and waits until it is ready. Rejects with its last words when it ends before that. */
  async start(): Promise<void> {
    const { child, ready } = this.#launch();
    const ended = once(child, 'exit').then(([status]) => {
      if (status === diskFullStatus)
        throw new CountersignError('service.disk_full', { detail: `${this.name} could not write.` });
      throw new Error(
        `${this.name} ended with status ${String(status)} before it was ready.\n${this.#lastLines.join('\n')}`,
      );
    });
    const late = delay(readyMilliseconds, undefined, { ref: false }).then(() => {
      throw new Error(
        `${this.name} was not ready within ${readyMilliseconds / 1000} s.\n${this.#lastLines.join('\n')}`,
      );
    });
    ended.catch(() => undefined);
    late.catch(() => undefined);
    try {
      await Promise.race([ready, ended, late]);
    } catch (failure) {
      await this.stop();
      throw failure;
    }
  }

  #launch(): { child: ChildProcess; ready: Promise<void> } {
    const { script, arguments: rest, environment, logFile, onLogError } = this.#specification;
    const log = createWriteStream(logFile, { flags: 'a' }).on('error', onLogError);
    const child = spawn(process.execPath, [script, ...rest], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child = child;
    const began = performance.now();
    const ready = new Promise<void>((resolve) => this.#follow(child, log, resolve));
    child.on('exit', () => {
      log.end();
      if (performance.now() - began > steadyMilliseconds) this.#restarts = 0;
      if (!this.#stopping) void this.#restart();
    });
    return { child, ready };
  }

  #follow(child: ChildProcess, log: WriteStream, ready: () => void): void {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        log.write(`${line}\n`);
        this.#lastLines = [...this.#lastLines.slice(-9), line];
        if (line.includes('"event":"ready"')) ready();
      });
    }
  }

  async #restart(): Promise<void> {
    this.#restarts += 1;
    await delay(
      Math.min(restartMilliseconds.first * 2 ** Math.min(this.#restarts - 1, 8), restartMilliseconds.most),
    );
    if (!this.#stopping) this.#launch();
  }

  /** Asks the process to end, and ends it after eight seconds. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const forced = setTimeout(() => child.kill('SIGKILL'), stopMilliseconds);
    await ended;
    clearTimeout(forced);
  }

  /** Sends a signal as a fault would; a process that dies of it is started again. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }
}
