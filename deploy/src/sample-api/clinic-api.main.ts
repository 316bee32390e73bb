import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { type Appointment, appointmentsOf } from './appointments.js';

// The sample's HTTP service: the clinic's appointments, held in memory and the same at each start. It knows the gateway by
// a key and trusts nobody else; whoever asks it directly, around the gateway, sees everything.

const { values } = parseArgs({ options: { port: { type: 'string' }, 'key-file': { type: 'string' } } });
const port = Number(values.port);
const key = readFileSync(values['key-file'] ?? '', 'utf8').trim();
let appointments: readonly Appointment[] = appointmentsOf(500);

function answer(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function list(response: ServerResponse, query: URLSearchParams): void {
  const doctor = query.get('doctor');
  const limit = Math.min(Number(query.get('limit') ?? 50), 100);
  const found = appointments.filter((appointment) => doctor === null || appointment.doctor === doctor);
  answer(response, 200, { items: found.slice(0, limit), total: found.length });
}

/** How many appointments each room has: nothing in it is about a person. */
function rooms(response: ServerResponse): void {
  const counts = new Map<string, number>();
  for (const { room } of appointments) counts.set(room, (counts.get(room) ?? 0) + 1);
  answer(response, 200, Object.fromEntries([...counts].sort(([left], [right]) => (left < right ? -1 : 1))));
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  // The target's own account, as reconciliation reads it: which action the gateway said it was.
  const { 'countersign-action': action = null } = request.headers;
  process.stdout.write(`${JSON.stringify({ event: 'request', action })}\n`);
  if (request.headers.authorization !== `Bearer ${key}`) {
    answer(response, 401, { error: 'no key' });
    return;
  }
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://clinic');
  const id = /^\/v1\/appointments\/(\d+)$/.exec(pathname)?.[1];
  if (pathname === '/v1/appointments' && request.method === 'GET') list(response, searchParams);
  else if (pathname === '/v1/rooms' && request.method === 'GET') rooms(response);
  else if (pathname === '/v1/appointments' && request.method === 'DELETE') {
    const removed = appointments.length;
    appointments = [];
    answer(response, 200, { removed });
  } else if (pathname === '/v1/export' && request.method === 'GET') answer(response, 200, appointments);
  else if (id !== undefined && request.method === 'GET') {
    const found = appointments.find((appointment) => appointment.id === Number(id));
    if (found === undefined) answer(response, 404, { error: 'no such appointment' });
    else answer(response, 200, found);
  } else answer(response, 404, { error: 'nothing here' });
}

const server = createServer(serve);
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
server.listen(port, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ event: 'ready', service: 'clinic-api', port })}\n`);
});
