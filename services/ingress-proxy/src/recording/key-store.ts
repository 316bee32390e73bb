/** Keeps the source of a session's salts where only evidence can open it. */
export interface RecordingKeyStore {
  /** Resolves when the sealed secret is on disk. Rejects where it is not: then there is no session. */
  seal(session: string, secret: Uint8Array): Promise<void>;
}
