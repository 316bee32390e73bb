// The bare relay that the gateway is compared with: the same runtime, bytes copied and nothing else. Arguments: host and
// port of the target; prints the port that it listens on.
import { type AddressInfo, connect, createServer } from 'node:net';

const [host = '', port = ''] = process.argv.slice(2);
const server = createServer({ noDelay: true }, (near) => {
  const far = connect({ host, port: Number(port), noDelay: true });
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
process.on('SIGTERM', () => process.exit(0));
