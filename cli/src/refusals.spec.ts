import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApprovalClient, ensureKeyFile } from './approval/index.js';

const program = fileURLToPath(new URL('./main.js', import.meta.url));

/** A token endpoint that refuses, as RFC 6749 says. */
let endpoint: Server;
let url: string;
let folder: string;
let key: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-refusals-'));
  key = join(folder, 'key.pem');
  ensureKeyFile(key);
  endpoint = createServer((_request, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        error: 'invalid_request',
        error_description: 'The request is not valid. grant_id: is no id.',
        code: 'request.invalid',
        next: 'Correct the fields that the answer names.',
      }),
    );
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((resolve) => endpoint.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

describe('a refusal', () => {
  it('of a token names the fields that the endpoint named', async () => {
    const client = new ApprovalClient({ url, issuer: 'urn:countersign:approval', id: 'agent:a-1', key });
    await expect(client.token({ grant: 'zzz' })).rejects.toMatchObject({
      code: 'request.invalid',
      message: 'The request is not valid. grant_id: is no id.',
    });
  });

  it('of a grant that an agent asks for without a person says which option is missing', async () => {
    const given = ['--url', url, '--id', 'agent:a-1', '--key', key, '--target', 'clinic', '--role', 'reader'];
    const told = await new Promise<string>((resolve) => {
      execFile(process.execPath, [program, 'grants', 'request', ...given], (_error, _out, err) =>
        resolve(err),
      );
    });
    expect(told).toContain('An agent acts for a person');
    expect(told).toContain('--on-behalf-of');
  });
});
