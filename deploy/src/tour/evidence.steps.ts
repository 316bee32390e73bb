import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { EvidenceRecord } from '@countersign/controls';
import { fromBase64, leafHash, parseCheckpoint, parseNote, verifyInclusion } from '@countersign/transparency';
import { cast } from '../session/index.js';
import type { Scene, Step } from './step.js';
import { tamper } from './tamper.js';

interface ProvenRecord {
  readonly record: EvidenceRecord;
  readonly checkpoint: string;
  readonly treeSize: number;
  readonly events: readonly {
    readonly index: number;
    readonly value: string;
    readonly proof: readonly string[];
  }[];
}

interface Verification {
  readonly status: number;
  readonly verdict: string;
  readonly findings: readonly {
    readonly code: string;
    readonly sentence: string;
    readonly where: {
      readonly index?: number;
      readonly producer?: string;
      readonly batch?: { readonly fromSeq: number; readonly toSeq: number };
    };
  }[];
}

const auditor = cast.auditor.id;
const command = fileURLToPath(new URL('../../../cli/dist/main.js', import.meta.url));

/** Segregation of duties, which the approvals before this step are evidence of. */
const control = 'iso27001:2022/5.3';

/** Runs `countersign verify` as a process of its own: it opens no connection. */
async function verify(scene: Scene, file: string): Promise<Verification> {
  const trust = scene.deployment.fingerprints.flatMap((fingerprint) => ['--trust', fingerprint]);
  scene.say.sent(auditor, `countersign verify ${file} ${trust.join(' ')}`);
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [command, 'verify', file, ...trust, '--json'],
      { maxBuffer: 64 * 1024 * 1024 },
      (failure, output) => {
        try {
          const report = JSON.parse(output) as Omit<Verification, 'status'>;
          resolve({ ...report, status: failure === null ? 0 : Number(failure.code) });
        } catch {
          reject(failure ?? new Error('The verifier gave no report.'));
        }
      },
    );
  });
}

export const evidenceSteps: readonly Step[] = [
  {
    title: 'Evidence by control, and one record with its inclusion proof',
    async run(scene) {
      scene.say.sent(auditor, `GET /v1/records?control=${control}`);
      const records = await scene.evidence.records({ control, order: 'newest', limit: '50' });
      scene.say.got(`${records.length} records, newest first: ${records[0]?.summary ?? 'none'}`);
      scene.say.check(
        records.length > 0,
        'the approvals of this session are evidence of segregation of duties',
      );
      const [record] = records;
      if (record === undefined) return;
      scene.say.sent(auditor, `GET /v1/records/${record.id}`);
      const proven = await scene.evidence.get<ProvenRecord>(`/v1/records/${record.id}`);
      scene.say.recorded(proven.record);
      const { size, root } = parseCheckpoint(parseNote(proven.checkpoint).text);
      scene.say.got(`${proven.events.length} events with inclusion proofs in a tree of ${size} leaves`);
      scene.say.check(
        proven.events.length > 0 &&
          proven.events.every(({ index, value, proof }) =>
            verifyInclusion({
              index,
              size,
              root,
              leafHash: leafHash(Buffer.from(value, 'utf8')),
              proof: proof.map(fromBase64),
            }),
          ),
        'every proof leads from the event to the signed root',
      );
    },
  },
  {
    title: 'The dossier verified offline, and an edited copy found out',
    async run(scene) {
      await mkdir(scene.output, { recursive: true });
      const file = join(scene.output, 'dossier.ndjson');
      scene.say.sent(auditor, 'GET /v1/dossier');
      const { body } = await scene.evidence.fetch('/v1/dossier');
      if (body === null) throw new Error('The dossier is empty.');
      await pipeline(Readable.fromWeb(body as never), createWriteStream(file));
      const genuine = await verify(scene, file);
      scene.say.got(`exit status ${genuine.status}: ${genuine.verdict}`);
      scene.say.check(genuine.status === 0 && genuine.verdict === 'authentic', 'the dossier is authentic');

      scene.say.unrecorded('this checks the whole dossier, outside the gateway');

      const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
      const forgery = tamper(lines);
      const edited = join(scene.output, 'dossier.edited.ndjson');
      await writeFile(edited, `${forgery.lines.join('\n')}\n`);
      const found = await verify(scene, edited);
      const naming = found.findings.filter(
        ({ where }) => where.index === forgery.index || where.batch !== undefined,
      );
      scene.say.got(
        [
          `exit status ${found.status}: ${found.verdict}`,
          ...naming.slice(0, 3).map(({ sentence }) => sentence),
        ].join('\n'),
      );
      scene.say.check(
        found.status !== 0 && found.verdict === 'tampered',
        'the copy, all hashes recomputed, is found out',
      );
      scene.say.check(
        found.findings.some(({ where }) => where.index === forgery.index),
        `the edited event is named: leaf ${forgery.index}`,
      );
    },
  },
];
