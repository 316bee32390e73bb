import { readFileSync } from 'node:fs';

/** The script that makes the gateway's role. */
export function gatewayRoleScript(): string {
  return readFileSync(new URL('../../sql/gateway-role.sql', import.meta.url), 'utf8');
}
