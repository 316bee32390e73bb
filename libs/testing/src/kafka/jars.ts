import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CountersignError } from '@countersign/errors';
import { buildOnce } from '../cache.js';

const run = promisify(execFile);

/** Milliseconds for Maven: 28 MB over a slow line. */
const DOWNLOAD_WITHIN = 300_000;
const OLDEST_JAVA = 17;

const pom = fileURLToPath(new URL('../../kafka/pom.xml', import.meta.url));
// Outside of everything that is tracked, and gone with the installation.
const cacheFolder = fileURLToPath(new URL('../../../../node_modules/.cache/countersign', import.meta.url));

const elsewhere =
  'or name a cluster that is there already, with KAFKA_BROKERS for tests or EVENT_LOG_URL=kafka://… for npm start.';

function missing(detail: string, install: string, cause: unknown): CountersignError {
  return new CountersignError('config.invalid', { detail, next: `Install ${install}, ${elsewhere}`, cause });
}

/** The machine's Java. Errors: `config.invalid` where there is none, or an old one. */
export async function findJava(): Promise<string> {
  const home = process.env.JAVA_HOME;
  const java = home === undefined || home === '' ? 'java' : join(home, 'bin/java');
  const needs = `A local Kafka broker needs Java ${OLDEST_JAVA} or newer`;
  const install = `a Java runtime (on Debian: apt-get install default-jre-headless)`;
  const { stderr } = await run(java, ['-version']).catch((cause: unknown) => {
    throw missing(`${needs}; there is no \`java\`.`, install, cause);
  });
  const version = Number(/version "(\d+)/.exec(stderr)?.[1]);
  if (!(version >= OLDEST_JAVA)) throw missing(`${needs}; \`java\` is older.`, install, stderr);
  return java;
}

/**
 * Folder with the jars of a broker: fetched from Maven Central by the machine's Maven the first time, and kept.
 * Errors: `config.invalid` where there is no Maven, or it does not get them.
 */
export async function kafkaJars(): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 12);
  await mkdir(cacheFolder, { recursive: true });
  return buildOnce({ folder: cacheFolder }, `kafka-${digest}`, async (folder) => {
    const command = [
      '-q',
      '-B',
      '-f',
      pom,
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      `-DoutputDirectory=${folder}`,
    ];
    await run('mvn', command, { timeout: DOWNLOAD_WITHIN, cwd: dirname(folder) }).catch((cause: unknown) => {
      const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
      throw missing(
        absent
          ? 'A local Kafka broker comes from Maven Central; there is no `mvn` to fetch it with.'
          : 'Maven could not fetch the local Kafka broker from Maven Central.',
        absent
          ? 'Maven (on Debian: apt-get install maven)'
          : 'what Maven misses (its own words are the cause)',
        cause,
      );
    });
  });
}
