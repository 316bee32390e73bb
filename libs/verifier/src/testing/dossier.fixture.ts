import { findingsAsOf, foldAll, foldVersion, initialFold, recordText } from '@countersign/controls';
import {
  appendLeaves,
  type Ed25519PrivateKey,
  emptyFrontier,
  frontierRoot,
  leafHash,
  signCheckpoint,
  toBase64,
} from '@countersign/transparency';
import { type DossierLine, formatLine, parseLine, writeDossier } from '../dossier/index.js';
import type { StoryLeaf } from './chain.fixture.js';
import type { Deployment } from './deployment.fixture.js';

/** All that a dossier is made of, each part exchangeable. */
export interface Parts {
  readonly deployment: Deployment;
  readonly leaves: readonly StoryLeaf[];
  readonly leafHashes: readonly Uint8Array[];
  readonly checkpoints: readonly string[];
  readonly policies: readonly { readonly policyDigest: string; readonly bundle: Uint8Array }[];
  readonly records: readonly string[];
  readonly foldVersion: string;
}

export function leafHashesOf(leaves: readonly StoryLeaf[]): readonly Uint8Array[] {
  return leaves.map(({ value }) => leafHash(value));
}

export function checkpointOf(
  origin: string,
  leafHashes: readonly Uint8Array[],
  size: number,
  key: Ed25519PrivateKey,
): string {
  const root = frontierRoot(appendLeaves(emptyFrontier, leafHashes.slice(0, size)));
  return signCheckpoint({ origin, size, root, extensions: [] }, key);
}

/** The records that evidence derives from the leaves. */
export function recordsOf(leaves: readonly StoryLeaf[], authorityPem: string): readonly string[] {
  const first = new Map<string, number>();
  const { state, records } = foldAll(
    initialFold(authorityPem),
    leaves.map(({ topic, key, value, signature }, index) => {
      const { id } = JSON.parse(new TextDecoder().decode(value)) as { id: string };
      const repeats = first.get(id);
      if (repeats === undefined) first.set(id, index);
      return { index, topic, key, value, signature, ...(repeats === undefined ? {} : { repeats }) };
    }),
  );
  return [...records, ...findingsAsOf(state, leaves.length)].map(recordText);
}

/** An honest dossier's parts, with checkpoints after each third of the leaves. */
export function honestParts(
  deployment: Deployment,
  leaves: readonly StoryLeaf[],
  policies: Parts['policies'],
): Parts {
  const leafHashes = leafHashesOf(leaves);
  const sizes = [1 / 3, 2 / 3, 1].map((part) => Math.floor(part * leaves.length));
  return {
    deployment,
    leaves,
    leafHashes,
    checkpoints: sizes.map((size) =>
      checkpointOf(deployment.origin, leafHashes, size, deployment.checkpointKey),
    ),
    policies,
    records: recordsOf(leaves, deployment.authority.certificatePem),
    foldVersion,
  };
}

export async function linesOf({ deployment, leaves, ...parts }: Parts): Promise<string[]> {
  const lines: string[] = [];
  const content = {
    manifest: {
      origin: deployment.origin,
      treeSize: leaves.length,
      foldVersion: parts.foldVersion,
      createdAt: '2026-01-05T09:00:00.000Z',
      verifierKey: deployment.verifierKey,
      authority: deployment.authority.certificatePem,
      checkpointCertificate: deployment.checkpointCertificate,
    },
    ...parts,
    events: leaves.map(({ topic, key, value, signature }, index) => ({
      index,
      topic,
      key,
      value: new TextDecoder().decode(value),
      signature: signature === null ? null : toBase64(signature),
    })),
  };
  for await (const line of writeDossier(content)) lines.push(line.trimEnd());
  return lines;
}

/** Changes lines as objects, and counts the end anew. */
export function editLines(
  lines: readonly string[],
  edit: (line: DossierLine) => DossierLine | null,
): string[] {
  const edited = lines.flatMap((text, position) => {
    const line = edit(parseLine(text, position + 1));
    return line === null || line.kind === 'end' ? [] : [formatLine(line).trimEnd()];
  });
  return [...edited, formatLine({ kind: 'end', lines: edited.length }).trimEnd()];
}
