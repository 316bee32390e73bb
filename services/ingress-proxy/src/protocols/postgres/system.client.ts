import { CountersignError } from '@countersign/errors';
import type { SystemConnection, Target, TargetReader } from '../../targets/index.js';
import {
  backendTypes,
  type Column,
  decodeDataRow,
  decodeReport,
  decodeRowDescription,
  toTarget,
} from './codec/index.js';
import { targetSettings } from './settings.js';
import { type ConnectionLimits, TargetConnection, type TargetLogin } from './upstream/index.js';

/** How the gateway signs in to a target for one session. */
export function loginOf(target: Target, session: string): TargetLogin {
  return {
    host: target.host,
    port: target.port,
    tls: target.tls,
    database: target.database,
    user: target.user,
    password: target.password(),
    settings: targetSettings(session, target.schemas),
  };
}

const MOST_BYTES = 64 * 1024 * 1024;

/** Asks targets the gateway's own questions. */
export function postgresReader(limits: ConnectionLimits): TargetReader {
  return {
    async connect(target, session) {
      const connection = await TargetConnection.open(loginOf(target, session), limits);
      return systemConnection(connection);
    },
  };
}

function systemConnection(connection: TargetConnection): SystemConnection {
  return {
    async rows(statement) {
      let columns: readonly Column[] = [];
      const rows: Record<string, string | null>[] = [];
      let failure: CountersignError | null = null;
      let bytes = 0;
      const messages = [
        toTarget.parse(statement, []),
        toTarget.bind([]),
        toTarget.describePortal,
        toTarget.execute,
        toTarget.sync,
      ];
      await connection.exchange(Buffer.concat(messages), {
        onFrame: (frame) => {
          bytes += frame.whole.length;
          if (bytes > MOST_BYTES) failure ??= new CountersignError('protocol.too_large');
          if (frame.type === backendTypes.error) {
            const { sqlstate } = decodeReport(frame);
            failure ??= new CountersignError('target.failed', { cause: new Error(`SQLSTATE ${sqlstate}`) });
          } else if (frame.type === backendTypes.rowDescription) columns = decodeRowDescription(frame);
          else if (frame.type === backendTypes.dataRow && failure === null) {
            const cells = decodeDataRow(frame);
            const named = columns.map(
              (column, index) => [column.name, cells[index]?.toString('utf8') ?? null] as const,
            );
            rows.push(Object.fromEntries(named));
          }
        },
        onTurn: () => null,
      });
      if (failure !== null) throw failure;
      return rows;
    },
    close: () => connection.close(),
  };
}
