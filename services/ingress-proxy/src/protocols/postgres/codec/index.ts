export * from './backend.js';
export { decodeText } from './cursor.js';
export {
  type AnyFrame,
  type DroppedFrame,
  type Frame,
  FrameParser,
  type FrameRule,
  type FramingRules,
  isDropped,
} from './framing.js';
export {
  authenticationRules,
  type BindMessage,
  decodeFrontend,
  type FrontendMessage,
  sessionRules,
} from './frontend.js';
export { type CancelRequest, decodeFirstPacket, FIRST_PACKET_LIMIT, type FirstPacket } from './startup.js';
export type { Column, Format, ReportFields, TransactionStatus } from './to-client.js';
export * as toClient from './to-client.js';
export * as toTarget from './to-target.js';
export { isTextual, nameOfType, TEXT_TYPE, textOfBinary } from './values.js';
