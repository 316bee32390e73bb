export const kinds = ['agent', 'person'] as const;
export type Kind = (typeof kinds)[number];

export const personRoles = ['administrator', 'approver', 'auditor'] as const;
export type PersonRole = (typeof personRoles)[number];

/** Somebody who proved to be an enrolled principal. */
export interface Actor {
  readonly id: string;
  readonly kind: Kind;
  readonly roles: readonly PersonRole[];
}

/** `agent:` or `person:` and a slug: opaque, so that no name stands in an event. */
export const principalPattern = /^(agent|person):[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** The kind that an id claims by its prefix; null for what is no id. */
export function kindOfId(id: string): Kind | null {
  const kind = principalPattern.exec(id)?.[1];
  return kind === 'agent' || kind === 'person' ? kind : null;
}

export function holds(actor: Actor, ...roles: readonly PersonRole[]): boolean {
  return actor.kind === 'person' && roles.some((role) => actor.roles.includes(role));
}
