/** What instances of the service tell one another through the database, at commit. */
export type Change =
  | { readonly kind: 'approval'; readonly id: string }
  | { readonly kind: 'grant-ended'; readonly id: string }
  | { readonly kind: 'keys-rotated' }
  /** There is something to publish. */
  | { readonly kind: 'outbox' }
  /** Something was published. */
  | { readonly kind: 'published' };

export const changeChannel = 'countersign_approval';

export function readChange(payload: string | undefined): Change | null {
  try {
    const value: unknown = JSON.parse(payload ?? '');
    return typeof value === 'object' && value !== null && 'kind' in value ? (value as Change) : null;
  } catch {
    return null;
  }
}
