import { join } from 'node:path';

/**
 * Settings of an instance, as `-c name=value`. Durable by default, as in production. Dynamic shared memory lives in
 * files of the data folder, so that a killed server leaves nothing behind and small /dev/shm of containers suffice.
 */
export function serverSettings(
  folder: string,
  port: number,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const collected = own.log_destination?.includes('log') === true;
  return {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    dynamic_shared_memory_type: 'mmap',
    max_connections: '100',
    shared_buffers: '32MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...(collected
      ? {
          logging_collector: 'on',
          log_directory: folder,
          log_filename: 'collected.log',
          log_rotation_age: '0',
          log_rotation_size: '0',
        }
      : {}),
    ...own,
  };
}

/** Where the server's log lands: jsonlog and csvlog are written by the collector, beside standard error. */
export function logFileOf(folder: string, settings: Readonly<Record<string, string>>): string {
  const destination = settings.log_destination ?? 'stderr';
  const filename = (settings.log_filename ?? 'collected.log').replace(/\.log$/, '');
  const collected = settings.log_directory ?? folder;
  if (destination.includes('jsonlog')) return join(collected, `${filename}.json`);
  if (destination.includes('csvlog')) return join(collected, `${filename}.csv`);
  return join(folder, 'server.log');
}
