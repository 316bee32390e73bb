import { canonicalJson, type EventEnvelope } from '@countersign/contracts';
import { issueInstanceCertificate } from '@countersign/ledger';
import { loadPolicy, pack, sourcesDigest, sourcesIn, unpack } from '@countersign/policy-runtime';
import {
  ed25519PrivateKey,
  formatVerifierKey,
  noteVerifier,
  signCheckpoint,
  toBase64,
  verifierFingerprint,
} from '@countersign/transparency';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { createDeployment, type Deployment } from './testing/deployment.fixture.js';
import { checkpointOf, editLines, linesOf, type Parts, recordsOf } from './testing/dossier.fixture.js';
import { rekey, relink, rewrite, setFields } from './testing/forge.fixture.js';
import { phrase, seal } from './testing/tamper.fixture.js';
import { createWorld, verifyParts, type World } from './testing/world.fixture.js';
import { verifyDossier } from './verify-dossier.js';

let world: World;

beforeAll(async () => {
  world = await createWorld();
});

async function judge(parts: Parts) {
  const { verdict, findings } = await verifyParts(parts, world.trust.authority);
  return { verdict, finds: findings.map((finding) => phrase(finding, parts.leaves)) };
}

async function judgeLines(lines: readonly string[]) {
  const { verdict, findings } = await verifyDossier(lines, { trust: [world.trust.authority] });
  return { verdict, finds: findings.map((finding) => phrase(finding, world.parts.leaves)) };
}

describe('signing anew with other keys', () => {
  it('of everything, authority included, is found by the trusted fingerprint alone', async () => {
    const other = await createDeployment();
    const { leaves } = rekey(world.parts.leaves, ({ key }) => identityOf(other, key));
    const forged = seal({ ...world.parts, deployment: other, leaves }, true);
    expect(await judge(forged)).toEqual({ verdict: 'tampered', finds: ['trust.other-keys'] });
    expect((await verifyParts(forged)).verdict).toBe('consistent');
  });

  it('of the producers, by certificates of another authority, names the epochs', async () => {
    const other = await createDeployment();
    const { leaves } = rekey(world.parts.leaves, ({ key }) => identityOf(other, key));
    expect(await judge(seal({ ...world.parts, leaves }, true))).toEqual({
      verdict: 'tampered',
      finds: [
        'epoch.untrusted: policy opens',
        'epoch.untrusted: approval opens',
        'epoch.untrusted: ingress opens',
        'epoch.untrusted: ingress opens again',
      ],
    });
  });

  it('of the producers, by an instance of another service, names the epochs', async () => {
    const { leaves } = rekey(world.parts.leaves, ({ key }) =>
      identityOf(world.deployment, key === '/ingress-proxy/one' ? '/masking/one' : key),
    );
    expect(await judge(seal({ ...world.parts, leaves }, true))).toEqual({
      verdict: 'tampered',
      finds: ['epoch.untrusted: ingress opens', 'epoch.untrusted: ingress opens again'],
    });
  });

  it('of one epoch, without the instance’s key, names its opening', async () => {
    const index = world.parts.leaves.findIndex(({ name }) => name === 'ingress opens again');
    const tail = rekey(world.parts.leaves.slice(index), ({ key }) => identityOf(world.deployment, key));
    const epochKeys = new Map([...world.epochKeys, ...tail.epochKeys]);
    const stolen = world.parts.leaves.map((leaf, position) => {
      const opened = position === index ? tail.leaves[0] : undefined;
      return opened === undefined
        ? leaf
        : rewrite({ ...opened, forged: true }, (envelope) =>
            setFields(envelope, { 'data.proof': toBase64(new Uint8Array(64)) }),
          );
    });
    const forged = seal({ ...world.parts, leaves: relink(stolen, 'resign', epochKeys) }, true);
    expect(await judge(forged)).toEqual({
      verdict: 'tampered',
      finds: ['epoch.untrusted: ingress opens again'],
    });
  });

  it('of the checkpoints is found by their certificate', async () => {
    const { privateKeyPem, certificatePem } = world.deployment.instances['ingress-proxy'];
    const key = ed25519PrivateKey(privateKeyPem);
    const log = noteVerifier(world.deployment.origin, key.publicKey.bytes);
    const deployment: Deployment = {
      ...world.deployment,
      checkpointKey: key,
      verifierKey: formatVerifierKey(log),
      checkpointFingerprint: verifierFingerprint(log),
    };
    const forged = seal({ ...world.parts, deployment }, true);
    const finds = ['trust.checkpoint-key'];
    expect(await judge(forged)).toEqual({ verdict: 'tampered', finds });
    // A certificate of the authority does not help: it is of another service.
    const borrowed = { ...forged, deployment: { ...deployment, checkpointCertificate: certificatePem } };
    expect(await judge(borrowed)).toEqual({ verdict: 'tampered', finds });
    // Nor does the evidence service's own: it is of another key.
    expect(
      await judge({
        ...world.parts,
        deployment: { ...world.deployment, verifierKey: deployment.verifierKey },
      }),
    ).toEqual({
      verdict: 'tampered',
      finds: [
        'trust.checkpoint-key',
        ...[9, 18, 27].map((size) => `checkpoint.signature: checkpoint ${size}`),
      ],
    });
  });

  it('is not seen in a renewed certificate of the same key', async () => {
    const { certificatePem } = await issueInstanceCertificate(world.deployment.authority, {
      service: 'evidence',
      instance: 'renewed',
      privateKeyPem: await checkpointKeyPem(),
      now: new Date('2027-01-01T00:00:00Z'),
    });
    const own = ed25519PrivateKey(keyPem);
    const log = noteVerifier(world.deployment.origin, own.publicKey.bytes);
    const deployment = {
      ...world.deployment,
      checkpointKey: own,
      verifierKey: formatVerifierKey(log),
      checkpointCertificate: certificatePem,
    };
    expect(await judge(seal({ ...world.parts, deployment }, true))).toEqual({
      verdict: 'authentic',
      finds: [],
    });
  });
});

let keyPem = '';
async function checkpointKeyPem(): Promise<string> {
  const issued = await issueInstanceCertificate(world.deployment.authority, {
    service: 'evidence',
    instance: 'other',
    now: new Date('2026-01-01T00:00:00Z'),
  });
  keyPem = issued.privateKeyPem;
  return keyPem;
}

function identityOf(deployment: Deployment, key: string) {
  const service = key.split('/')[1] as keyof Deployment['instances'];
  return deployment.instances[service];
}

/** The repository's policy, except that readers may delete. */
async function laxPolicy() {
  const members = new Map(unpack(world.bundle));
  const edit = (path: string) => {
    const roles = JSON.parse(new TextDecoder().decode(members.get(path))) as Record<string, unknown>;
    const data = (path === 'data.json' ? roles.roles : roles) as Record<string, { verbs: string[] }>;
    data.reader?.verbs.push('delete');
    members.set(path, new TextEncoder().encode(canonicalJson(roles)));
  };
  edit('data.json');
  edit('sources/roles/data.json');
  const manifest = JSON.parse(new TextDecoder().decode(members.get('.manifest'))) as Record<string, unknown>;
  const revision = sourcesDigest(sourcesIn(members));
  members.set('.manifest', new TextEncoder().encode(JSON.stringify({ ...manifest, revision })));
  const bundle = pack(members);
  return { bundle, policy: await loadPolicy(bundle) };
}

describe('another policy', () => {
  it('under the digest of the recorded one is found by its own digest', async () => {
    const { bundle } = await laxPolicy();
    const policies = [{ policyDigest: world.policy.policyDigest, bundle }];
    expect(await judge({ ...world.parts, policies })).toEqual({
      verdict: 'tampered',
      finds: ['policy.bundle'],
    });
  });

  it('in place of the recorded one is found by its absence', async () => {
    const { bundle, policy } = await laxPolicy();
    const policies = [{ policyDigest: policy.policyDigest, bundle }];
    expect(await judge({ ...world.parts, policies })).toEqual({
      verdict: 'tampered',
      finds: ['policy.not-activated', 'policy.absent: read decided'],
    });
  });

  it('of the same sources in other bytes is found by the event that activated it', async () => {
    const bundle = pack(new Map([...unpack(world.bundle), ['extra', Uint8Array.of(1)]]));
    const policies = [{ policyDigest: world.policy.policyDigest, bundle }];
    expect(await judge({ ...world.parts, policies })).toEqual({
      verdict: 'tampered',
      finds: ['policy.bundle'],
    });
  });

  it('put everywhere, by whoever holds all keys, names each decision that it would not have made', async () => {
    const { bundle, policy } = await laxPolicy();
    const swapped = world.parts.leaves.map((leaf) => {
      const text = new TextDecoder().decode(leaf.value);
      const forged = text
        .replaceAll(world.policy.policyDigest, policy.policyDigest)
        .replaceAll(world.policy.bundleDigest, policy.bundleDigest);
      return forged === text
        ? leaf
        : { ...leaf, value: new TextEncoder().encode(forged), forged: true as const };
    });
    const leaves = relink(swapped, 'resign', world.epochKeys);
    const policies = [{ policyDigest: policy.policyDigest, bundle }];
    expect(await judge(seal({ ...world.parts, leaves, policies }, true))).toEqual({
      verdict: 'tampered',
      finds: ['policy.decision: deletion denied'],
    });
  });

  it('that cannot be loaded is said to be so', async () => {
    const policies = [{ policyDigest: world.policy.policyDigest, bundle: world.bundle.subarray(0, 1000) }];
    expect(await judge({ ...world.parts, policies })).toEqual({
      verdict: 'tampered',
      finds: ['policy.unreadable'],
    });
  });
});

describe('another mapping', () => {
  const records = (edit: (records: string[]) => void) => {
    const changed = [...world.parts.records];
    edit(changed);
    return { ...world.parts, records: changed };
  };
  const at = (id: string) => world.parts.records.findIndex((record) => record.includes(`"id":"${id}"`));

  it('of one record to other controls names the record', async () => {
    const changed = records((list) => {
      const index = at('decision-9');
      const record = JSON.parse(list[index] ?? '') as { controls: unknown[] };
      list[index] = canonicalJson({ ...record, controls: record.controls.slice(1) });
    });
    expect(await judge(changed)).toEqual({ verdict: 'tampered', finds: ['record.changed: decision-9'] });
  });

  it('that leaves out a record names the event that it was about', async () => {
    const changed = records((list) => list.splice(at('decision-12'), 1));
    expect(await judge(changed)).toEqual({ verdict: 'tampered', finds: ['record.missing: deletion denied'] });
  });

  it('that adds, repeats or moves a record names it', async () => {
    const added = records((list) => list.splice(5, 0, '{"id":"decision-99"}'));
    expect(await judge(added)).toEqual({ verdict: 'tampered', finds: ['record.added: decision-99'] });
    const repeated = records((list) => list.push(list[at('decision-6')] ?? ''));
    expect(await judge(repeated)).toEqual({ verdict: 'tampered', finds: ['record.repeated: decision-6'] });
    const moved = records((list) => list.push(...list.splice(at('decision-6'), 1)));
    expect(await judge(moved)).toEqual({ verdict: 'tampered', finds: ['record.moved: decision-6'] });
  });

  it('that is the same but not byte for byte names the record', async () => {
    const changed = records((list) => {
      list[3] = JSON.stringify(JSON.parse(list[3] ?? ''), null, 1);
    });
    expect((await judge(changed)).finds).toHaveLength(1);
  });

  it('of a version that is not here is unreadable, not trusted', async () => {
    const changed = { ...world.parts, foldVersion: 'countersign-fold/999', records: [] };
    expect(await judge(changed)).toEqual({ verdict: 'unreadable', finds: ['form.unknown-fold'] });
  });
});

describe('the log’s own statements', () => {
  it('cannot fork: two checkpoints of one size', async () => {
    const { deployment, checkpoints } = world.parts;
    const fork = signCheckpoint(
      { origin: deployment.origin, size: 27, root: new Uint8Array(32), extensions: [] },
      deployment.checkpointKey,
    );
    expect(await judge({ ...world.parts, checkpoints: [...checkpoints, fork] })).toEqual({
      verdict: 'tampered',
      finds: ['checkpoint.order: checkpoint 27'],
    });
    expect(await judge({ ...world.parts, checkpoints: checkpoints.toReversed() })).toMatchObject({
      verdict: 'tampered',
    });
    expect(await judge({ ...world.parts, checkpoints: [] })).toEqual({
      verdict: 'tampered',
      finds: ['checkpoint.missing'],
    });
  });

  it('are of this log', async () => {
    const { deployment, leafHashes } = world.parts;
    const foreign = checkpointOf('another.example/log', leafHashes, 27, deployment.checkpointKey);
    expect(await judge({ ...world.parts, checkpoints: [foreign] })).toMatchObject({
      verdict: 'tampered',
      finds: ['checkpoint.signature: checkpoint 27'],
    });
    const { finds } = await judge({ ...world.parts, checkpoints: ['no note'] });
    expect(finds).toContain('checkpoint.malformed');
  });

  it('retain what events hash to: one hash changed names its leaf, and the checkpoints that it spoils', async () => {
    const leafHashes = world.parts.leafHashes.with(10, new Uint8Array(32));
    expect(await judge({ ...world.parts, leafHashes })).toMatchObject({
      verdict: 'tampered',
      finds: expect.arrayContaining([
        'tree.root: checkpoint 18, leaf 9 to 17',
        'leaf.changed: masked read completed',
      ]),
    });
    expect((await judge({ ...world.parts, leafHashes: leafHashes.slice(0, 26) })).finds).toContain(
      'leaf.added: reader leaves',
    );
  });

  it('count their lines and events', async () => {
    const lines = await linesOf(world.parts);
    expect(await judgeLines(lines.with(-1, '{"kind":"end","lines":1}'))).toEqual({
      verdict: 'tampered',
      finds: ['form.cut'],
    });
    const renumbered = editLines(lines, (line) =>
      line.kind === 'event' ? { ...line, index: line.index + 1 } : line,
    );
    expect((await judgeLines(renumbered)).finds).toEqual(['leaf.index: policy activated']);
    const elsewhere = editLines(lines, (line) =>
      line.kind === 'event' && line.index === 3 ? { ...line, topic: 'countersign.policy.v1' } : line,
    );
    expect((await judgeLines(elsewhere)).finds).toContain('event.misplaced: ingress opens');
    const noEvent = editLines(lines, (line) =>
      line.kind === 'event' && line.index === 10 ? { ...line, value: '{}' } : line,
    );
    expect((await judgeLines(noEvent)).finds).toContain('event.malformed: masked read completed');
  });
});

describe('what its producer may not say', () => {
  /** Moves an event to the end of another producer’s current chain, signed with that producer’s key. */
  const saidBy = (name: string, opening: string) => {
    const by = world.parts.leaves.find((leaf) => leaf.name === opening);
    const { epoch, source } = JSON.parse(new TextDecoder().decode(by?.value)) as EventEnvelope;
    const leaves = world.parts.leaves.map((leaf) =>
      leaf.name === name && by !== undefined
        ? {
            ...rewrite(leaf, (envelope) => ({ ...envelope, source, epoch })),
            topic: by.topic,
            key: by.key,
            signature: new Uint8Array(64),
            forged: true as const,
          }
        : leaf,
    );
    return seal({ ...world.parts, leaves: relink(leaves, 'resign', world.epochKeys) }, true);
  };

  it.each([
    ['approval given', 'ingress opens'],
    ['read described', 'approval opens'],
    ['operator arrives', 'approval opens'],
    ['masked read decided', 'approval opens'],
  ])('is found: %s, where %s', async (name, opening) => {
    expect(await judge(saidBy(name, opening))).toEqual({
      verdict: 'tampered',
      finds: [`event.misplaced: ${name}`],
    });
  });

  it.each([
    ['a refusal of policy as another', 'deletion denied', { 'data.verdict': 'defer' }],
    [
      'a refusal of policy as one of masking',
      'deletion denied',
      { 'data.verdict': 'defer', 'data.stage': 'masking' },
    ],
    ['a hold as a refusal of policy', 'purge held', { 'data.verdict': 'deny' }],
    ['a permission as a hold', 'read decided', { 'data.verdict': 'step_up', 'data.stage': 'approval' }],
  ])('is found: %s', async (_, name, set) => {
    const leaves = world.parts.leaves.map((leaf) =>
      leaf.name === name
        ? { ...rewrite(leaf, (envelope) => setFields(envelope, set)), forged: true as const }
        : leaf,
    );
    const parts = seal({ ...world.parts, leaves: relink(leaves, 'resign', world.epochKeys) }, true);
    expect(await judge(parts)).toEqual({ verdict: 'tampered', finds: [`policy.verdict: ${name}`] });
  });
});

describe('a policy that was compiled twice', () => {
  it('is the one of either activation', async () => {
    const leaves = world.parts.leaves.flatMap((leaf) =>
      leaf.name === 'policy activated'
        ? [
            leaf,
            {
              ...rewrite(leaf, (envelope) =>
                setFields(envelope, {
                  id: '01900000-0000-7000-8000-0000000fffff',
                  'data.bundleDigest': `sha256:${'0'.repeat(64)}`,
                }),
              ),
              forged: true as const,
            },
          ]
        : [leaf],
    );
    const parts = seal({ ...world.parts, leaves: relink(leaves, 'resign', world.epochKeys) }, true);
    expect(await judge(parts)).toEqual({ verdict: 'authentic', finds: [] });
  });
});

describe('a line that two readers could take for two things', () => {
  it.each([
    ['a member twice', (line: string) => line.replace('"kind":"event"', '"kind":"event","value":"{}"')],
    ['a number twice', (line: string) => line.replace('"index":', '"index":999,"index":')],
    ['space', (line: string) => line.replace('{"kind":', '{ "kind": ')],
    ['an escape', (line: string) => line.replace('"event"', '"\\u0065vent"')],
    ['a carriage return', (line: string) => `${line}\r`],
  ])('is none: %s', async (_, change) => {
    const lines = await linesOf(world.parts);
    const at = lines.findIndex((line) => line.startsWith('{"kind":"event"'));
    const changed = lines.with(at, change(lines[at] ?? ''));
    expect(changed).not.toEqual(lines);
    expect((await judgeLines(changed)).verdict).toBe('unreadable');
  });

  it.each(['', '{', 'All of this was approved.'])('may not follow the end: %j', async (line) => {
    expect((await judgeLines([...(await linesOf(world.parts)), line])).verdict).toBe('unreadable');
  });
});

describe('data of another shape', () => {
  it('is found, and never stops verification', async () => {
    for (const data of [
      {},
      { claims: null, digest: 1 },
      { digest: 'x', facts: null },
      { decision: {} },
      { decision: { verdict: 'allow' } },
    ]) {
      for (const name of [
        'reader arrives',
        'read described',
        'read decided',
        'policy activated',
        'ingress opens',
      ]) {
        const leaves = relink(
          world.parts.leaves.map((leaf) =>
            leaf.name === name
              ? { ...rewrite(leaf, (envelope) => ({ ...envelope, data })), forged: true as const }
              : leaf,
          ),
          'resign',
          world.epochKeys,
        );
        const { deployment } = world.parts;
        const records = recordsOf(leaves, deployment.authority.certificatePem);
        expect((await judge({ ...seal({ ...world.parts, leaves }, true), records })).verdict).not.toBe(
          'authentic',
        );
      }
    }
  });
});
