/** A protected database as it is configured. */
export interface Target {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Reads the password anew each time, so that a rotated one is seen; null where the target asks for none. */
  readonly password: () => string | null;
  readonly tls: { readonly authority: string | null; readonly serverName: string } | null;
  /** Schemas that the gateway's role may see, in the order of the search path. */
  readonly schemas: readonly string[];
}

/** What the gateway itself asks of targets: the port of a protocol. */
export interface TargetReader {
  /** A connection for the gateway's own questions, under a session of its own. Throws target.unavailable. */
  connect(target: Target, session: string): Promise<SystemConnection>;
}

export interface SystemConnection {
  /** Rows of one statement by column name, values in text form. Throws target.failed, target.connection_lost. */
  rows(statement: string): Promise<readonly Readonly<Record<string, string | null>>[]>;
  close(): void;
}
