import { ApprovalClient, ensureKeyFile, type Settings } from '@countersign/cli';
import { CountersignError } from '@countersign/errors';
import { z } from 'zod';
import { apiName, targetName } from '../databases/index.js';
import { tokenIssuer } from '../services/index.js';
import type { Secrets } from '../state/index.js';

/** Who takes part in the guided session. Ids are opaque: whom they stand for is kept outside the log. */
export const cast = {
  administrator: { id: 'person:p-administrator', roles: ['administrator'] },
  requester: { id: 'person:p-requester', roles: ['approver'] },
  approver: { id: 'person:p-approver', roles: ['approver'] },
  auditor: { id: 'person:p-auditor', roles: ['auditor'] },
  analyst: { id: 'agent:a-analyst', roles: [] },
  operator: { id: 'agent:a-operator', roles: [] },
} as const satisfies Record<string, { id: string; roles: readonly string[] }>;
export type Part = keyof typeof cast;

/** Grants of the agents: each acts for the requester, in one role, on both targets of the sample. */
const granted = { analyst: 'analyst', operator: 'operator' } as const;
export type AgentPart = keyof typeof granted;

const targets = [targetName, apiName] as const;
export type TargetOfSample = (typeof targets)[number];

const grantDays = 5;

const principal = z.object({ id: z.string() });
const grant = z.object({
  id: z.uuid(),
  status: z.string(),
  agent: z.string(),
  role: z.string(),
  target: z.string(),
  expiresAt: z.int(),
});
const grants = z.object({ grants: z.array(grant) });

/** The keys of everyone in the guided session, and what they do at the approval API. */
export class People {
  readonly #url: string;
  readonly #secrets: Secrets;
  readonly #grants = new Map<string, string>();

  constructor(approvalApi: string, secrets: Secrets) {
    this.#url = approvalApi;
    this.#secrets = secrets;
  }

  keyFile(part: Part): string {
    return this.#secrets.file(`${cast[part].id.replace(':', '-')}.pem`);
  }

  publicKey(part: Part): { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string } {
    return ensureKeyFile(this.keyFile(part)).publicKey;
  }

  client(part: Part): ApprovalClient {
    const settings: Settings = {
      url: this.#url,
      issuer: tokenIssuer,
      id: cast[part].id,
      key: this.keyFile(part),
    };
    return new ApprovalClient(settings);
  }

  /** A token of an agent for a target of the sample, under its grant. */
  async sessionToken(part: AgentPart, target: TargetOfSample = targetName): Promise<string> {
    const grant = this.grantOf(part, target);
    return (await this.client(part).token({ audience: target, grant })).token;
  }

  async evidenceToken(part: Part): Promise<string> {
    return (await this.client(part).token({ audience: 'countersign-evidence' })).token;
  }

  grantOf(part: AgentPart, target: TargetOfSample = targetName): string {
    return this.#grants.get(`${part} ${target}`) ?? '';
  }

  /**
   * Enrols everyone and sees that each agent has an active grant on each target; what is there already stays. Gives how
   * many are new.
   */
  async settle(): Promise<{ readonly enrolled: number; readonly granted: number }> {
    let enrolled = 0;
    const administrator = this.client('administrator');
    for (const part of Object.keys(cast) as Part[]) {
      if (part === 'administrator') continue;
      const { id, roles } = cast[part];
      const body = { id, kind: id.split(':')[0], roles, publicKey: this.publicKey(part) };
      try {
        await administrator.call('POST', '/v1/principals', principal, body);
        enrolled += 1;
      } catch (error) {
        if (!(error instanceof CountersignError && error.code === 'auth.principal_exists')) throw error;
      }
    }
    let newGrants = 0;
    for (const part of Object.keys(granted) as AgentPart[]) {
      for (const target of targets) {
        const { id, isNew } = await this.#ensureGrant(part, target);
        this.#grants.set(`${part} ${target}`, id);
        if (isNew) newGrants += 1;
      }
    }
    return { enrolled, granted: newGrants };
  }

  async #ensureGrant(
    part: AgentPart,
    target: TargetOfSample,
  ): Promise<{ readonly id: string; readonly isNew: boolean }> {
    const soon = Math.floor(Date.now() / 1000) + 86_400;
    const { grants: found } = await this.client(part).call('GET', '/v1/grants?status=active', grants);
    const usable = found.find(
      (one) => one.role === granted[part] && one.target === target && one.expiresAt > soon,
    );
    if (usable !== undefined) return { id: usable.id, isNew: false };
    const asked = await this.client(part).call('POST', '/v1/grants', grant, {
      agent: cast[part].id,
      onBehalfOf: cast.requester.id,
      target,
      role: granted[part],
      expiresAt: soon + (grantDays - 1) * 86_400,
    });
    // Not the requester: nobody gives a grant to oneself.
    const active = await this.client('administrator').call('POST', `/v1/grants/${asked.id}/activate`, grant);
    return { id: active.id, isNew: true };
  }
}
