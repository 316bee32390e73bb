import { type AgentPart, cast, type Deployment, targetName } from '@countersign/deploy';
import { z } from 'zod';

const grantAnswer = z.object({ id: z.uuid(), status: z.string() });
const lifeSeconds = 3_600;

export interface GrantTerms {
  readonly agent: AgentPart;
  readonly role: string;
  readonly target?: string;
}

/** A new grant for an agent of the cast, asked for by one person and activated by another. Gives its id. */
export async function grantTo(deployment: Deployment, terms: GrantTerms): Promise<string> {
  const { people } = deployment;
  const { id } = await people.client(terms.agent).call('POST', '/v1/grants', grantAnswer, {
    agent: cast[terms.agent].id,
    onBehalfOf: cast.requester.id,
    target: terms.target ?? targetName,
    role: terms.role,
    expiresAt: Math.floor(Date.now() / 1000) + lifeSeconds,
  });
  await people.client('administrator').call('POST', `/v1/grants/${id}/activate`, grantAnswer);
  return id;
}

export async function revoke(deployment: Deployment, grant: string): Promise<void> {
  await deployment.people.client('administrator').call('POST', `/v1/grants/${grant}/revoke`, grantAnswer);
}

/** A token of an agent under one of its grants. */
export async function tokenUnder(
  deployment: Deployment,
  agent: AgentPart,
  grant: string,
  audience: string = targetName,
): Promise<string> {
  return (await deployment.people.client(agent).token({ audience, grant })).token;
}
