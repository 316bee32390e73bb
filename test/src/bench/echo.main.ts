// A service that answers what it is asked, as a process of its own. Argument: its address.
import { policyRpc } from '@countersign/contracts';
import { implement, serveRpc } from '@countersign/rpc';

const [address = ''] = process.argv.slice(2);
const echo = implement(policyRpc.PolicyServiceService, {
  decide: ({ input }) => ({ decision: input, inputDigest: '', policyDigest: '' }),
  async *watch() {},
});
const server = await serveRpc({ address, services: [echo] });
process.on('SIGTERM', () => void server.close(500).then(() => process.exit(0)));
process.stdout.write('ready\n');
