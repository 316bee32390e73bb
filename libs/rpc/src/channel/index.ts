export { ChannelClient } from './channel.client.js';
export { ChannelServer } from './channel.server.js';
export { Slots } from './slots.js';
export { type FailedCall, type Outcome, Work } from './work.js';
